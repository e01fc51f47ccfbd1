from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('example_shop', '0003_verticals'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='dual_payment',
            field=models.BooleanField(default=False, verbose_name='premium charged by XCover'),
        ),
    ]

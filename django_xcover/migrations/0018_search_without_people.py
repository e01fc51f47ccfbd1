from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('xcover', '0017_lost_cover'),
    ]

    operations = [
        migrations.AddField(
            model_name='searchterm',
            name='is_personal',
            field=models.BooleanField(db_default=True, default=True, editable=False),
        ),
    ]

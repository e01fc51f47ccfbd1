from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('xcover', '0016_codes_of_stored_failures'),
    ]

    operations = [
        migrations.AddField(
            model_name='searchterm',
            name='is_personal',
            field=models.BooleanField(db_default=True, default=True, editable=False),
        ),
    ]

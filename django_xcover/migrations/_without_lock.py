"""Add an index while the shop sells."""

from django.db.migrations.operations import AddIndex


class AddIndexWithoutLock(AddIndex):
    """AddIndex that blocks no writing on PostgreSQL; for a migration that is not atomic.

    Django's AddIndexConcurrently runs on PostgreSQL only and wants its driver installed. SQLite and
    MariaDB add an index as always: InnoDB lets others read and write meanwhile.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            schema_editor.add_index(model, self.index, **_concurrently(schema_editor))

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            schema_editor.remove_index(model, self.index, **_concurrently(schema_editor))


def _concurrently(schema_editor):
    return {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}

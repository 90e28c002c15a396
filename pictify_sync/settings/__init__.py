"""What `pictify-sync.yaml` and the environment may say. `loading` reads them, `moved` knows the names of before."""

from pictify_sync.settings.loading import FILE, Fields, Guard, InDoubt, Parts, Settings, fields_model, load_settings

__all__ = ["FILE", "Fields", "Guard", "InDoubt", "Parts", "Settings", "fields_model", "load_settings"]

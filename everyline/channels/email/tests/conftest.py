from tests.world.fixtures import mail_world

__all__ = ["mail_world"]

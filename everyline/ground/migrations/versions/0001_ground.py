"""The first schema."""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Everything that the first version stores, and the tables of the job runner."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))  # no parameters, so % stays what it is
    driver.execute(SchemaManager.get_schema())
    driver.execute("select ensure_event_partitions(current_date)")

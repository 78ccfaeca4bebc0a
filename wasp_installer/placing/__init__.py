"""From an archive to a version in its place: unpacking, trying, staging, the receipt."""

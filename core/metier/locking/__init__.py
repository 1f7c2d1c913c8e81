"""`metier.lock`: which plugins and which weights, to the byte, so that another machine answers as this one does."""

from metier.locking.lockfile import LOCK_NAME, Lock, LockedFile, LockedModel, LockedPlugin, read_lock, write_lock

__all__ = ["LOCK_NAME", "Lock", "LockedFile", "LockedModel", "LockedPlugin", "read_lock", "write_lock"]

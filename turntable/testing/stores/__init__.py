"""What every store must do."""

from turntable.testing.stores.contract import StoreContract

__all__ = ["StoreContract"]

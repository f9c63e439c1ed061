"""The contract tests of stores."""

from turntable.testing.stores.contract import StoreContract

__all__ = ["StoreContract"]

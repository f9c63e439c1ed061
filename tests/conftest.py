import sys
from pathlib import Path

# Helpers that tests of several rooms share: `from synthetic import make_synthetic_dataset`.
sys.path.insert(0, str(Path(__file__).parent / "support"))

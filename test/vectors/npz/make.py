"""Archives and arrays as numpy writes them, to read in test/io/npz.test.ts and test/io/npy.test.ts.

    python3 test/vectors/npz/make.py
"""

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
values = np.arange(2 * 2 * 3 * 4, dtype="<f4").reshape(2, 2, 3, 4) / 8
maps = np.linspace(1500, 4500, 2 * 1 * 2 * 2, dtype="<f4").reshape(2, 1, 2, 2)

np.savez(HERE / "stored.npz", data=values, model=maps)
np.savez_compressed(HERE / "deflated.npz", data=values, model=maps)
np.savez_compressed(HERE / "only.npz", np.asfortranarray(values.astype(">f8")))
np.save(HERE / "fortran.npy", np.asfortranarray(values))
np.save(HERE / "big-endian.npy", values.astype(">f4"))
np.save(HERE / "float64.npy", values.astype("<f8") * (1 + 1e-12))

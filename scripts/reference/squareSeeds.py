"""Writes fixtures/attacks/square-seeds.json: what torchattacks' Square leaves robust of the hardened fashion model under L2,
with ten seeds. Random search is a draw of luck: one run alone is no measure of another implementation.

    pip install torch==2.13.0 onnx==1.23.2 numpy foolbox==3.3.4 torchattacks==3.5.1 adversarial-robustness-toolbox==1.20.1
    python scripts/reference/squareSeeds.py [seeds]
"""

import json
import sys

import torch
import torchattacks

from attacks import EPSILON, FIXTURES, IMAGES, Reference

NORM = "l2"
QUERIES = 5000


def main(seeds):
    # Sums over several threads are in another order, and a search in another place: seed 0 leaves 86 then, not 87.
    torch.set_num_threads(1)
    reference = Reference("fashion-hardened")
    settings = {"norm": "L2", "eps": EPSILON[NORM], "n_restarts": 1, "n_queries": QUERIES, "p_init": 0.8}
    runs = []
    for seed in range(seeds):
        square = torchattacks.Square(reference.model, **settings, seed=seed, loss="margin", resc_schedule=True)
        adversarial = square(reference.images, reference.labels)
        inside = torch.from_numpy(reference.distances(adversarial, NORM) <= EPSILON[NORM] * (1 + 1e-5))
        robust = (reference.right & ~(reference.fooled(adversarial) & inside)).nonzero().flatten().tolist()
        print(f"seed {seed}: {len(robust)}", flush=True)
        runs.append({"seed": seed, "robustIndices": robust})
    told = {"model": reference.name, "norm": NORM, "epsilon": EPSILON[NORM], "samples": IMAGES, "queries": QUERIES}
    lines = ",\n".join(json.dumps(run) for run in runs)
    text = f'{json.dumps(told)[:-1]}, "torch": "{torch.__version__}", "runs": [\n{lines}\n]}}\n'
    (FIXTURES / "attacks" / "square-seeds.json").write_text(text)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)

"""Prints how many images torchattacks' Square leaves robust of the hardened fashion model under L2, with ten seeds. Random
search is a draw of luck: one run alone is no measure of another implementation.

    pip install torch==2.13.0 onnx==1.23.2 numpy foolbox==3.3.4 torchattacks==3.5.1 adversarial-robustness-toolbox==1.20.1
    python scripts/reference/squareSeeds.py
"""

import torch
import torchattacks

from attacks import EPSILON, Reference

NORM = "l2"


def main():
    # Sums over several threads are in another order, and a search in another place: seed 0 leaves 86 then, not 87.
    torch.set_num_threads(1)
    reference = Reference("fashion-hardened")
    settings = {"norm": "L2", "eps": EPSILON[NORM], "n_restarts": 1, "n_queries": 5000, "p_init": 0.8}
    for seed in range(10):
        square = torchattacks.Square(reference.model, **settings, seed=seed, loss="margin", resc_schedule=True)
        adversarial = square(reference.images, reference.labels)
        inside = torch.from_numpy(reference.distances(adversarial, NORM) <= EPSILON[NORM] * (1 + 1e-5))
        robust = reference.right & ~(reference.fooled(adversarial) & inside)
        print(f"seed {seed}: {int(robust.sum())}", flush=True)


if __name__ == "__main__":
    main()

"""Writes fixtures/attacks/linear-classes.json: how far foolbox's DDN and Carlini-Wagner go on linear classifiers of several
classes, whose least distance is known, and which these attacks need not find.

    pip install torch==2.13.0 numpy foolbox==3.3.4
    python scripts/reference/linearClasses.py
"""

import json
import pathlib

import foolbox
import numpy
import torch
from torch import nn

OUT = pathlib.Path(__file__).parents[2] / "fixtures" / "attacks" / "linear-classes.json"
PIXELS = 12
ATTACKS = {
    "ddn": foolbox.attacks.DDNAttack(init_epsilon=1.0, steps=100, gamma=0.05),
    "cw": foolbox.attacks.L2CarliniWagnerAttack(binary_search_steps=5, steps=200, stepsize=0.05, confidence=0, initial_const=1),
}


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    random = numpy.random.default_rng(0)
    image = torch.full((1, PIXELS), 0.5)
    cases = []
    for classes in [4] * 20 + [10] * 20:
        # Class 0 leads at grey by what `margins` has for every other.
        weights = random.integers(-20, 21, (classes, PIXELS))
        margins = random.integers(1, 13, classes - 1)
        slopes = numpy.linalg.norm(weights[1:] - weights[0], axis=1)
        model = nn.Linear(PIXELS, classes).eval().requires_grad_(False)
        model.weight.copy_(torch.from_numpy(weights))
        model.bias.copy_(torch.from_numpy(-numpy.concatenate([[0], margins]) - weights.sum(1) / 2))
        case = {"weights": weights.tolist(), "margins": margins.tolist(), "least": float((margins / slopes).min())}
        for name, attack in ATTACKS.items():
            found = attack.run(foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu"), image, torch.tensor([0]))
            if model(found).argmax(1).item() == 0:
                raise SystemExit(f"{name} found nothing")
            case[name] = float((found.double() - image.double()).norm())
        cases.append(case)
    lines = ",\n".join(json.dumps(case) for case in cases)
    OUT.write_text(f'{{"torch": "{torch.__version__}", "foolbox": "3.3.4", "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()

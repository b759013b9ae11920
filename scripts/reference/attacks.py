"""Writes fixtures/attacks/reference.json: what other libraries' attacks do to the fashion models, image by image.

    pip install torch==2.13.0 onnx==1.23.2 numpy foolbox==3.3.4 torchattacks==3.5.1 adversarial-robustness-toolbox==1.20.1
    python scripts/reference/attacks.py

Of an attack in a ball: the images it left robust. An attack that stops at its last iterate is run with every number of
steps up to its own, and an image counts as broken if any of them broke it: that is what stopping at the first witness
finds. Of an attack that looks for the least distance: the distance to the adversarial example of each image it was right
on, or null. Everything is computed in float32 by PyTorch; distances in float64. The file says which versions made it.
"""

import json
import pathlib
import platform
import warnings

import foolbox
import numpy
import onnx
import torch
import torchattacks
from art.attacks import evasion
from art.estimators.classification import PyTorchClassifier
from onnx import numpy_helper
from torch import nn

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures"
IMAGES = 200
EPSILON = {"linf": 0.1, "l2": 1.5, "l1": 10.0}
ORDER = {"linf": numpy.inf, "l2": 2, "l1": 1}
TORCHATTACKS = {"linf": "Linf", "l2": "L2", "l1": "L1"}


def load(name):
    """The fixture as a module of PyTorch's own layers."""
    graph = onnx.load(FIXTURES / "fashion" / f"{name}.onnx").graph
    weights = [torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer]
    first, second = [w for w in weights if w.ndim == 4]
    hidden, last = [w for w in weights if w.ndim == 2]
    biases = [w for w in weights if w.ndim == 1 and w.dtype == torch.float32]
    pads = [list(next(a.ints for a in node.attribute if a.name == "pads")) for node in graph.node if node.op_type == "Conv"]
    model = nn.Sequential(
        nn.Conv2d(1, 16, 4, stride=2, padding=pads[0][0]),
        nn.ReLU(),
        nn.Conv2d(16, 32, 4, stride=2, padding=pads[1][0]),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(hidden.shape[1], hidden.shape[0]),
        nn.ReLU(),
        nn.Linear(last.shape[1], last.shape[0]),
    )
    with torch.no_grad():
        for layer, weight in zip((model[0], model[2], model[5], model[7]), (first, second, hidden, last)):
            layer.weight.copy_(weight)
            layer.bias.copy_(next(b for b in biases if b.shape[0] == weight.shape[0]))
    return model.eval().requires_grad_(False)


def data():
    archive = numpy.load(FIXTURES / "fashion" / "fashion-test.npz")
    images = torch.from_numpy(archive["x"][:IMAGES].astype(numpy.float32) / numpy.float32(255))
    return images, torch.from_numpy(archive["y"][:IMAGES].astype(numpy.int64))


class Reference:
    def __init__(self, name):
        self.name = name
        self.model = load(name)
        self.images, self.labels = data()
        with torch.no_grad():
            self.right = self.model(self.images).argmax(1) == self.labels
        self.foolbox = foolbox.PyTorchModel(self.model, bounds=(0, 1))
        self.art = PyTorchClassifier(
            self.model, loss=nn.CrossEntropyLoss(), input_shape=(1, 28, 28), nb_classes=10, clip_values=(0.0, 1.0)
        )
        self.entries = []

    def distances(self, adversarial, norm):
        change = (adversarial.detach().double() - self.images.double()).flatten(1).numpy()
        return numpy.linalg.norm(change, ORDER[norm], axis=1)

    def fooled(self, adversarial):
        with torch.no_grad():
            return (self.model(adversarial).argmax(1) != self.labels) & self.right

    def nearest(self, norm, runs):
        """Of each image the nearest of the adversarial examples that several runs found."""
        best = self.images.clone()
        least = numpy.full(IMAGES, numpy.inf)
        for run in runs:
            found = self.images.clone()
            found[self.right] = run(self.images[self.right], self.labels[self.right]).detach()
            distance = numpy.where(self.fooled(found).numpy(), self.distances(found, norm), numpy.inf)
            nearer = torch.from_numpy(distance < least)
            best[nearer], least = found[nearer], numpy.minimum(distance, least)
        return best

    def in_ball(self, library, attack, norm, adversarials):
        broken = torch.zeros(IMAGES, dtype=torch.bool)
        for adversarial in adversarials:
            inside = self.distances(adversarial, norm) <= EPSILON[norm] * (1 + 1e-5)
            broken |= self.fooled(adversarial) & torch.from_numpy(inside)
        robust = (self.right & ~broken).nonzero().flatten().tolist()
        self.entry(library, attack, norm, {"robust": robust})

    def minimal(self, library, attack, norm, adversarial):
        distance, fooled = self.distances(adversarial, norm), self.fooled(adversarial)
        found = [round(float(d), 7) if f else None for d, f, r in zip(distance, fooled, self.right) if r]
        self.entry(library, attack, norm, {"distances": found})

    def entry(self, library, attack, norm, result):
        summary = len(result["robust"]) if "robust" in result else median(result["distances"])
        print(f"{self.name} {library} {norm} {attack}: {summary}", flush=True)
        entry = {"model": self.name, "library": library, "attack": attack, "norm": norm, "epsilon": EPSILON[norm]}
        self.entries.append({**entry, **result})


def median(distances):
    return float(numpy.median([numpy.inf if d is None else d for d in distances]))


def with_foolbox(reference):
    images, labels = reference.images, reference.labels
    fb = foolbox.attacks

    def ball(attack, norm, *runs):
        epsilon = EPSILON[norm]
        reference.in_ball("foolbox", attack, norm, [run(reference.foolbox, images, labels, epsilon=epsilon) for run in runs])

    def least(attack, norm, run):
        adversarial = run.run(reference.foolbox, images, labels)
        # Where Carlini-Wagner found nothing foolbox returns a black image.
        failed = (adversarial == 0).flatten(1).all(1)
        adversarial = torch.where(failed[:, None, None, None], images, adversarial)
        reference.minimal("foolbox", attack, norm, adversarial)

    ball({"name": "fgsm"}, "linf", fb.LinfFastGradientAttack().run)
    ball({"name": "fgsm"}, "l2", fb.L2FastGradientAttack().run)
    ball({"name": "fgsm"}, "l1", fb.L1FastGradientAttack().run)
    gradient_descent = {
        "pgd": (fb.LinfProjectedGradientDescentAttack, fb.L2ProjectedGradientDescentAttack, fb.L1ProjectedGradientDescentAttack),
        "bim": (fb.LinfBasicIterativeAttack, fb.L2BasicIterativeAttack, fb.L1BasicIterativeAttack),
    }
    for name, attacks in gradient_descent.items():
        for norm, attack in zip(("linf", "l2", "l1"), attacks):
            spec = {"name": name, "steps": 20, "relativeStepSize": 0.125}
            if name == "pgd":
                spec["randomStart"] = False
            ball(spec, norm, *(attack(rel_stepsize=0.125, steps=n, random_start=False).run for n in range(1, 21)))
    deepfool = {"name": "deepfool", "steps": 50, "overshoot": 0.02, "candidates": 10}
    least(deepfool, "l2", fb.L2DeepFoolAttack(steps=50, candidates=10, overshoot=0.02, loss="logits"))
    least(deepfool, "linf", fb.LinfDeepFoolAttack(steps=50, candidates=10, overshoot=0.02, loss="logits"))
    least({"name": "ddn", "steps": 100}, "l2", fb.DDNAttack(init_epsilon=1.0, steps=100, gamma=0.05))
    # Its own settings (9 × 10,000 steps of 0.01, constants from 0.001) take hours here.
    cw = {"name": "cw", "steps": 200, "binarySearchSteps": 5, "stepSize": 0.05, "initialConstant": 1}
    least(cw, "l2", fb.L2CarliniWagnerAttack(binary_search_steps=5, steps=200, stepsize=0.05, confidence=0, initial_const=1))


def with_torchattacks(reference):
    model, images, labels = reference.model, reference.images, reference.labels
    ta = torchattacks
    alpha = 0.01
    momentum = [ta.MIFGSM(model, eps=0.1, alpha=alpha, steps=n, decay=1.0)(images, labels) for n in range(1, 11)]
    reference.in_ball("torchattacks", {"name": "mi-fgsm", "steps": 10, "stepSize": alpha}, "linf", momentum)
    # None of these works in L1 there.
    for norm in ("linf", "l2"):
        epsilon = EPSILON[norm]
        common = {"norm": TORCHATTACKS[norm], "eps": epsilon, "n_restarts": 1, "seed": 0}
        apgd = ta.APGD(model, **common, steps=100, loss="ce", rho=0.75)
        reference.in_ball("torchattacks", {"name": "apgd"}, norm, [apgd(images, labels)])
        targeted = ta.APGDT(model, **common, steps=100, rho=0.75, n_classes=10)
        reference.in_ball("torchattacks", {"name": "apgd-t"}, norm, [targeted(images, labels)])
        square = ta.Square(model, **common, n_queries=5000, p_init=0.8, loss="margin", resc_schedule=True)
        reference.in_ball("torchattacks", {"name": "square"}, norm, [square(images, labels)])
    for norm in EPSILON:
        settings = {"norm": TORCHATTACKS[norm], "eps": 1e6, "steps": 100, "alpha_max": 0.1, "eta": 1.05, "beta": 0.9}
        # Its own front ends stop at the first target that succeeds, and do not know L1.
        fab = ta.FAB(model, **settings, n_classes=10)
        reference.minimal("torchattacks", {"name": "fab"}, norm, reference.nearest(norm, [fab.attack_single_run]))
        targeted = targeted_runs(ta.FAB(model, **settings, multi_targeted=True, n_classes=10))
        reference.minimal("torchattacks", {"name": "fab-t"}, norm, reference.nearest(norm, targeted))


def targeted_runs(fab):
    """One for each of the nine classes besides the label, by their rank at the clean image."""

    def run_towards(rank):
        def run(images, labels):
            fab.target_class = rank
            return fab.attack_single_run_targeted(images, labels)

        return run

    return [run_towards(rank) for rank in range(2, 11)]


def with_art(reference):
    images, labels = reference.images.numpy(), reference.labels.numpy()

    def run(attack):
        return torch.from_numpy(attack.generate(images, labels).astype(numpy.float32))

    quiet = {"verbose": False}
    # In L1 its steps follow another rule: the greatest slopes alone.
    for norm in ("linf", "l2"):
        epsilon, order = EPSILON[norm], ORDER[norm]
        fgm = evasion.FastGradientMethod(reference.art, norm=order, eps=epsilon, batch_size=IMAGES)
        reference.in_ball("art", {"name": "fgsm"}, norm, [run(fgm)])
        pgd = [
            evasion.ProjectedGradientDescent(
                reference.art, norm=order, eps=epsilon, eps_step=epsilon / 8, max_iter=n, num_random_init=0, batch_size=IMAGES, **quiet
            )
            for n in range(1, 21)
        ]
        spec = {"name": "pgd", "steps": 20, "relativeStepSize": 0.125, "randomStart": False}
        reference.in_ball("art", spec, norm, [run(attack) for attack in pgd])
    deepfool = evasion.DeepFool(reference.art, max_iter=50, epsilon=0.02, nb_grads=10, batch_size=IMAGES, **quiet)
    reference.minimal("art", {"name": "deepfool", "steps": 50, "overshoot": 0.02, "candidates": 10}, "l2", run(deepfool))


def main():
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    numpy.random.seed(0)
    entries = []
    for name in ("fashion-standard", "fashion-hardened"):
        reference = Reference(name)
        for attack_with in (with_foolbox, with_torchattacks, with_art):
            attack_with(reference)
        entries += reference.entries
    libraries = {"python": platform.python_version(), "foolbox": "3.3.4", "torchattacks": "3.5.1", "art": "adversarial-robustness-toolbox 1.20.1", "torch": torch.__version__}
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    text = f'{{"images": {IMAGES}, "libraries": {json.dumps(libraries)}, "entries": [\n{lines}\n]}}\n'
    (FIXTURES / "attacks" / "reference.json").write_text(text)


if __name__ == "__main__":
    main()

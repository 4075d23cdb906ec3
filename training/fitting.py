"""The training loop: fixed seeds, checkpoints that survive being stopped."""

import contextlib
import ctypes
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, pad

from index.cores import cores

from .examples import Example, Group, claims
from .model import Reader

SEED = 13
GROUPS = 20  # of a step
PART = 16  # windows that are computed at once, of like length: little is padding, and they stay in the cache
CLAIMS = 64  # of a step of claims, which every eighth is
CLAIMS_EVERY = 8
RATE, WARM, DECAY = 2e-4, 0.05, 0.01
# Of the steps, the last share computes as the shipped weights will (quantisation-aware training:
# Jacob et al. 2018, https://arxiv.org/abs/1712.05877).
QUANTISING = 0.2
# Groups among which those of like length are put together, so that little is padding.
_SORTED = 1600
_CHECKPOINT_EVERY = 250


def fit(
    base: Path,
    epochs: Callable[[str], Iterable[Group]],
    groups: int,
    claimed: Sequence[tuple[str, str, bool]],
    work: Path,
    say: Callable[[str], None],
) -> Reader:
    """Train on `groups` groups, drawn from one epoch after the other (`epochs(seed)`).

    The state is kept in `work/checkpoint.pt` every 250 steps; a run that finds one goes on from it, with
    the same batches as if it had not been stopped.
    """
    torch.manual_seed(SEED)
    torch.set_num_threads(cores())
    _keep_memory()
    model = Reader(base)
    steps = groups // GROUPS
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # The layers compute in bfloat16, four times as fast where the processor has it; the optimiser has its own copy.
    master = [value.detach().clone().to(device).requires_grad_() for value in model.trained.values()]
    model.to(device)
    for value in model.trained.values():
        value.data = value.data.bfloat16()
    optimiser = torch.optim.AdamW(
        [
            {"params": [value for value in master if value.dim() > 1], "weight_decay": DECAY},
            {"params": [value for value in master if value.dim() == 1], "weight_decay": 0.0},
        ],
        lr=RATE,
        betas=(0.9, 0.98),
        fused=True,
    )
    file = work / "checkpoint.pt"
    done = 0
    if file.exists():
        kept = torch.load(file, map_location=device, weights_only=True)
        done = int(kept["done"])
        optimiser.load_state_dict(kept["optimiser"])
        with torch.no_grad():
            for value, stored in zip(master, kept["master"], strict=True):
                value.copy_(stored)
        say(f"going on after step {done} of {steps}")
    _follow(model, master)
    batches = islice(_batches(epochs), steps)
    asserted = _forever(claimed)
    started, before, means = time.monotonic(), done, _Means()
    for step, batch in enumerate(batches):
        claim_step = step % CLAIMS_EVERY == CLAIMS_EVERY - 1 and bool(claimed)
        extra = [next(asserted) for _ in range(CLAIMS)] if claim_step else []
        if step < done:
            continue
        model.quantising = step >= steps * (1 - QUANTISING)
        for group in optimiser.param_groups:
            group["lr"] = RATE * min((step + 1) / (WARM * steps), (steps - step) / (steps * (1 - WARM)))
        losses = losses_of(model, batch, device)
        if extra:
            losses["supports"] = _supports(model, extra, device)
        sum(losses.values(), torch.zeros((), device=device)).backward()  # type: ignore[no-untyped-call]
        means.add(losses)
        for value, working in zip(master, model.trained.values(), strict=True):
            value.grad = None if working.grad is None else working.grad.float()
            working.grad = None
        torch.nn.utils.clip_grad_norm_(master, 1.0)
        optimiser.step()
        _follow(model, master)
        if (step + 1) % 50 == 0:
            left = (time.monotonic() - started) / (step + 1 - before) * (steps - step - 1)
            say(f"step {step + 1} of {steps}: {means.taken()}, {left / 60:.0f} min to go")
        if (step + 1) % _CHECKPOINT_EVERY == 0 or step + 1 == steps:
            _keep(file, {"done": step + 1, "optimiser": optimiser.state_dict(), "master": [v.detach() for v in master]})
    return _at_full_precision(model, master)


def losses_of(model: Reader, batch: Sequence[Group], device: torch.device) -> dict[str, Tensor]:
    """`answers`: each window by itself; `rank`: the one that answers above the others of its group; `span`:
    where the answer begins and ends, at [CLS] if there is none; each a mean.
    """
    examples = [one for group in batch for one in group]
    out, mask = _forward(model, examples, device)
    labels = torch.tensor([one.answers for one in examples], device=device)
    scores = out["answers"].float()
    rank, at = [], 0
    for group in batch:
        part = scores[at : at + len(group)]
        if group[0].answers and len(group) > 1:
            rank.append(part.logsumexp(0) - part[0])
        at += len(group)
    spans = out["span"].float().masked_fill(~mask[..., None], -1e4).log_softmax(1)
    hit = torch.full(mask.shape, -1e4)
    ends = hit.clone()
    for row, one in enumerate(examples):
        hit[row, list(one.starts)] = 0
        ends[row, list(one.ends)] = 0
    wanted = torch.stack([hit, ends], -1).to(device)
    return {
        "answers": binary_cross_entropy_with_logits(scores, labels),
        "rank": torch.stack(rank).mean() if rank else scores.sum() * 0,
        "span": -(spans + wanted).logsumexp(1).mean(),
    }


def _supports(model: Reader, examples: Sequence[Example], device: torch.device) -> Tensor:
    out, _ = _forward(model, examples, device)
    labels = torch.tensor([one.supports or 0.0 for one in examples], device=device)
    return binary_cross_entropy_with_logits(out["supports"].float(), labels)


def _forward(model: Reader, examples: Sequence[Example], device: torch.device) -> tuple[dict[str, Tensor], Tensor]:
    length = max(len(one.window.ids) for one in examples)
    order = sorted(range(len(examples)), key=lambda at: len(examples[at].window.ids))
    parts = []
    for first in range(0, len(order), PART):
        part = order[first : first + PART]
        # Few different shapes: for each one kernels are made anew.
        longest = -(-len(examples[part[-1]].window.ids) // 16) * 16
        ids = torch.zeros(-(-len(part) // 4) * 4, longest, dtype=torch.long)
        for row, at in enumerate(part):
            ids[row, : len(examples[at].window.ids)] = torch.tensor(examples[at].window.ids)
        out = {name: value[: len(part)] for name, value in model(ids.to(device), ids.to(device) > 0).items()}
        out["span"] = pad(out["span"][:, :length], (0, 0, 0, length - min(longest, length)))
        parts.append(out)
    places = torch.tensor(order, device=device).argsort()
    joined = {name: torch.cat([out[name] for out in parts])[places] for name in parts[0]}
    lengths = torch.tensor([len(one.window.ids) for one in examples])
    return joined, (torch.arange(length)[None] < lengths[:, None]).to(device)


def _batches(epochs: Callable[[str], Iterable[Group]]) -> Iterator[list[Group]]:
    """Groups of like length together, the batches in an order that tells nothing of their length."""
    number = 0
    endless = chain.from_iterable(epochs(f"{SEED} {turn}") for turn in range(1_000_000))
    while True:
        pool = [group for group in islice(endless, _SORTED) if group]
        pool.sort(key=lambda group: max(len(one.window.ids) for one in group))
        batches = [pool[at : at + GROUPS] for at in range(0, len(pool) - GROUPS + 1, GROUPS)]
        order = torch.randperm(len(batches), generator=torch.Generator().manual_seed(SEED + number))
        yield from (batches[at] for at in order.tolist())
        number += 1


def _forever(claimed: Sequence[tuple[str, str, bool]]) -> Iterator[Example]:
    for turn in range(1_000_000):
        yield from claims(claimed, f"{SEED} claims {turn}")


def _follow(model: Reader, master: Sequence[Tensor]) -> None:
    with torch.no_grad():
        for value, working in zip(master, model.trained.values(), strict=True):
            working.copy_(value)


def _at_full_precision(model: Reader, master: Sequence[Tensor]) -> Reader:
    model.to("cpu")
    for value, full in zip(model.trained.values(), master, strict=True):
        value.data = full.detach().cpu()
    return model


def _keep(file: Path, state: dict[str, object]) -> None:
    """Whole or not at all: a stop in the middle leaves the checkpoint before."""
    scratch = file.with_suffix(".partial")
    torch.save(state, scratch)
    scratch.replace(file)


def _keep_memory() -> None:
    """Let glibc keep what is freed: the next step needs it again, and fresh pages cost a third of a step."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        for parameter, value in ((-1, 2**31 - 1), (-2, 2**29), (-3, 2**30)):  # M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_...
            libc.mallopt(parameter, value)


class _Means:
    """Running means of the losses since they were last taken."""

    def __init__(self) -> None:
        self.sums: dict[str, list[float]] = {}

    def add(self, losses: dict[str, Tensor]) -> None:
        for name, loss in losses.items():
            value = float(loss.detach())
            if not math.isfinite(value):
                raise FloatingPointError(f"the loss {name} is {value}")
            self.sums.setdefault(name, []).append(value)

    def taken(self) -> str:
        text = ", ".join(f"{name} {sum(values) / len(values):.3f}" for name, values in self.sums.items())
        self.sums.clear()
        return text

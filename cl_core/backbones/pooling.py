"""Pooling: the states of a sample's tokens become one vector."""

from __future__ import annotations

import torch
from torch import Tensor

from cl_core.errors import UserError

POOLINGS = ("mean", "cls", "max")


def pool(hidden: Tensor, mask: Tensor, how: str) -> Tensor:
    """Makes one vector of each sample's tokens.

    Args:
        hidden: (B, T, d).
        mask: (B, T), 1 for tokens and 0 for padding; at least one token each.
        how: "mean" over the tokens, special tokens included (DAM's masked mean); "cls", the first token; "max" over
            the tokens, per dimension.

    Returns:
        (B, d), of `hidden`'s type.

    Raises:
        UserError: another `how`.
    """
    match how:
        case "mean":
            share = mask.to(hidden.dtype)
            share = share / share.sum(dim=1, keepdim=True)
            # A product of matrices makes no second (B, T, d); autocast would round its operands to half precision.
            with torch.autocast(hidden.device.type, enabled=False):
                return torch.bmm(share.unsqueeze(1), hidden).squeeze(1)
        case "cls":
            return hidden[:, 0]
        case "max":
            return hidden.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).amax(dim=1)
        case _:
            raise UserError(f"there is no pooling '{how}'; choose one of {', '.join(POOLINGS)}")

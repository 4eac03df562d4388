"""The three papers, as their authors put them on arXiv."""

from __future__ import annotations

PAPERS = {
    "DAM": """@misc{cheng2024dam,
  title         = {{DAM}: Dynamic Adapter Merging for Continual Video {QA} Learning},
  author        = {Feng Cheng and Ziyang Wang and Yi-Lin Sung and Yan-Bo Lin and Mohit Bansal and Gedas Bertasius},
  year          = {2024},
  eprint        = {2403.08755},
  archivePrefix = {arXiv},
}""",
    "L2R": """@misc{araujo2024l2r,
  title         = {Learning to Route for Dynamic Adapter Composition in Continual Learning with Language Models},
  author        = {Vladimir Araujo and Marie-Francine Moens and Tinne Tuytelaars},
  year          = {2024},
  eprint        = {2408.09053},
  archivePrefix = {arXiv},
}""",
    "I2I": """@misc{srinivasan2023i2i,
  title         = {{I2I}: Initializing Adapters with Improvised Knowledge},
  author        = {Tejas Srinivasan and Furong Jia and Mohammad Rostami and Jesse Thomason},
  year          = {2023},
  eprint        = {2304.02168},
  archivePrefix = {arXiv},
}""",
}

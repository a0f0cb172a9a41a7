"""S2A-Net: oriented boxes from aligned features (Han et al. 2021)."""

from crystalgauge.models.s2anet.config import S2ANetConfig

__all__ = ["S2ANetConfig"]

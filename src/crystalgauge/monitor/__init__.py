"""Watch a process: pictures measured as they come, a store, trends and alarms."""

from crystalgauge.monitor.alarms import Alarm, Cusum, Threshold, parse_threshold
from crystalgauge.monitor.page import write_trend
from crystalgauge.monitor.pooling import parse_duration
from crystalgauge.monitor.process_kinetics import ProcessKinetics
from crystalgauge.monitor.records import RaisedAlarm, WatchRecord
from crystalgauge.monitor.runner import read_alarms, watch, watch_folder
from crystalgauge.monitor.trends import Trend

__all__ = [
    "Alarm",
    "Cusum",
    "ProcessKinetics",
    "RaisedAlarm",
    "Threshold",
    "Trend",
    "WatchRecord",
    "parse_duration",
    "parse_threshold",
    "read_alarms",
    "watch",
    "watch_folder",
    "write_trend",
]

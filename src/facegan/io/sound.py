"""Sound on its way from one video into another."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

import av
from av.audio.stream import AudioStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer, OutputContainer
    from av.packet import Packet

# FFmpeg writes more into an mp4 (PCM, Vorbis), but few players find it there.
COPIED = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})
DEFAULT_RATE = 48_000


class Sound:
    """Stream the sound of a video into an mp4: copied if the container can hold it, else encoded as AAC.

    Args:
        original: the video with the sound.
        stream: its audio stream.
        out: the mp4, still without packets.
    """

    def __init__(self, original: InputContainer, stream: AudioStream, out: OutputContainer) -> None:
        self._original = original
        self._stream = stream
        self._out = out
        self._time_base = stream.time_base or Fraction(1, stream.rate)
        self._time = -math.inf
        if stream.codec.canonical_name in COPIED:
            self._target = out.add_stream_from_template(stream)
            self._packets = self._copied()
        else:
            rates = av.Codec("aac", "w").audio_rates or ()
            self._target = out.add_stream(
                "aac",
                rate=stream.rate if stream.rate in rates else DEFAULT_RATE,
                layout="mono" if stream.channels == 1 else "stereo",
            )
            self._packets = self._encoded()

    @classmethod
    def find(cls, original: InputContainer, out: OutputContainer) -> Sound | None:
        """Open the main audio stream of a video; None if it has none that can be decoded."""
        stream = original.streams.best("audio")
        if not isinstance(stream, AudioStream) or stream.codec_context is None:
            return None
        return cls(original, stream, out)

    def write(self, until: float = math.inf) -> None:
        """Write the packets up to this many seconds after the start of the original."""
        while self._time < until:
            packet = next(self._packets, None)
            if packet is None:
                self._time = math.inf
                return
            self._time = float((packet.dts or 0) * packet.time_base)
            self._out.mux(packet)

    def _read(self) -> Iterator[Packet[AudioStream]]:
        """Read the packets up to the first decoding error, timed from the start of the original."""
        start = round((self._original.start_time or 0) / av.time_base / self._time_base)
        last: int | None = None
        packets = self._original.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError):
                return
            if packet.dts is None:  # the mark of the end
                return
            time = packet.dts - start
            # An mp4 cannot hold two packets of one time.
            last = time if last is None else max(time, last + 1)
            packet.pts = packet.dts = last
            yield packet

    def _copied(self) -> Iterator[Packet[AudioStream]]:
        for packet in self._read():
            packet.stream = self._target
            yield packet

    def _encoded(self) -> Iterator[Packet[AudioStream]]:
        for packet in chain(self._read(), [None]):  # in the end, what the decoder holds back
            try:
                frames = self._stream.decode(packet)
            except av.error.FFmpegError:
                continue
            for frame in frames:
                yield from self._target.encode(frame)
        yield from self._target.encode(None)

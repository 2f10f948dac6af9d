"""Content Credentials (C2PA): writing a signed manifest into a file, and reading anybody's.

Nothing is asked of the network: no time stamp, no revocation list, no manifest that lies elsewhere.
"""

from __future__ import annotations

import io
import json
import mmap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias

import c2pa

from facegan import __version__
from facegan.io.atomic import atomic_file
from facegan.provenance.certificate import Credentials, local_anchor

if TYPE_CHECKING:
    from pathlib import Path

AGENT = {"name": "facegan", "version": __version__}
MADE_BY_MACHINE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MODEL = "facegan.model"
"""Our name for a parameter of the first action."""
FORMATS = {".mp4": "video/mp4", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
LONGEST = 200  # characters of a text that somebody else wrote
MANIFEST_BEGINS = b"jumdc2pa"
"""In every file with a manifest, whatever its format (ISO 19566-5)."""

State: TypeAlias = Literal["valid", "untrusted", "invalid"]

_OFFLINE: dict[str, Any] = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    # Without the tree of hashes a whole film is read into memory to be hashed, and longer files than
    # the threshold are put together on the disk.
    "core": {"merkle_tree_chunk_size_in_kb": 8192, "backing_store_memory_threshold_in_mb": 8},
    # A small copy of the picture would stay in the file when the picture is edited.
    "builder": {"thumbnail": {"enabled": False}},
}


@dataclass(frozen=True)
class ManifestClaim:
    """What the signed manifest says.

    Names of files and pictures of the people shown are not in it.

    Attributes:
        model: name of the model.
        actions: what was made, then what was changed, for example ("facegan reenact", "new background").
    """

    model: str
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """What the Content Credentials of a file say.

    Attributes:
        state: valid, when this user's own certificate signed it; untrusted, when the file is as it was
            signed, but by somebody for whom nobody vouches here; invalid, when the file or the manifest
            was changed afterwards.
        signer: whose name the certificate carries.
        program: which program says so.
        model: name of the model, if facegan made it.
        actions: what was done.
        machine_made: whether it says that a trained model made the picture.
        faults: why it is invalid.
    """

    state: State
    signer: str = ""
    program: str = ""
    model: str = ""
    actions: tuple[str, ...] = ()
    machine_made: bool = False
    faults: tuple[str, ...] = ()


def sign_file(path: Path, claim: ManifestClaim, credentials: Credentials) -> None:
    """Signs a file in place; until it is signed wholly the file stays as it was.

    Args:
        path: .mp4, .png, .jpg or .jpeg.
        claim: what the manifest says.
        credentials: who says so.

    Raises:
        OSError: if it cannot be written, or is no such file.
    """
    media = FORMATS[path.suffix.lower()]
    with atomic_file(path, overwrite=True) as signed, path.open("rb") as source, signed.open("w+b") as target:
        reading, writing = _Stream(source), _Stream(target)
        # The library calls back from native code, where Ctrl-C would be lost and look like the file's end:
        # in a thread of its own it signs to the end, and then the interrupt is raised.
        with ThreadPoolExecutor(1) as worker:
            job = worker.submit(_sign, reading, writing, media, claim, credentials)
            try:
                job.result()
            except c2pa.C2paError as error:
                reason = OSError(f"cannot sign {path}: {error}")
                # Its frames hold native streams, which must not live longer than this.
                raise reading.error or writing.error or reason from None


def try_credentials(credentials: Credentials) -> None:
    """Signs a dot.

    Raises:
        c2pa.C2paError: if C2PA does not take the certificate.
    """
    _sign(io.BytesIO(_DOT), io.BytesIO(), "image/png", ManifestClaim("", ("trial",)), credentials)


def read_manifest(path: Path) -> Manifest | None:
    """The Content Credentials of a file, whoever wrote them; None if there are none.

    The file's name does not matter.
    """
    anchor = local_anchor()
    trust = {"trust": {"trust_anchors": anchor.decode()}} if anchor else {}
    try:
        with path.open("rb") as file, c2pa.Context.from_dict(_OFFLINE | trust) as context:
            reader = c2pa.Reader.try_create(file, context=context)
            if reader is None:
                return None
            with reader:
                return _summarise(json.loads(reader.json()))
    except (c2pa.C2paError, ValueError) as error:
        # A format that C2PA does not know, or damage, which matters if there is a manifest.
        return Manifest("invalid", faults=(_clean(error),)) if _holds_manifest(path) else None


class _Stream:
    """A file for the library, which hears no more of an error than that there is one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def readinto(self, buffer: memoryview) -> int:
        return int(self._call(lambda: self._file.readinto(buffer)))  # type: ignore[attr-defined]

    def read(self, size: int = -1) -> bytes:
        return bytes(self._call(lambda: self._file.read(size)))

    def write(self, data: bytes) -> int:
        return int(self._call(lambda: self._file.write(data)))

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._call(lambda: self._file.seek(offset, whence)))

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._call(self._file.flush)

    def _call(self, action: Any) -> Any:
        try:
            return action()
        except OSError as error:
            self.error = self.error or error
            raise


def _sign(source: Any, target: Any, media: str, claim: ManifestClaim, credentials: Credentials) -> None:
    info = c2pa.C2paSignerInfo(credentials.algorithm.encode(), credentials.chain, credentials.key, None)
    with (
        c2pa.Context.from_dict(_OFFLINE) as context,
        c2pa.Signer.from_info(info) as signer,
        c2pa.Builder(json.dumps(_definition(claim)), context) as builder,
    ):
        builder.sign(signer, media, source, target)


def _definition(claim: ManifestClaim) -> dict[str, Any]:
    first, *others = claim.actions
    about = {"softwareAgent": AGENT, "digitalSourceType": MADE_BY_MACHINE}
    actions = [
        {"action": "c2pa.created", "description": first, "parameters": {MODEL: claim.model}, **about},
        *({"action": "c2pa.edited", "description": text, **about} for text in others),
        {"action": "c2pa.watermarked.unbound", "description": "invisible mark", "softwareAgent": AGENT},
    ]
    return {
        "claim_generator_info": [AGENT],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }


def _summarise(store: dict[str, Any]) -> Manifest:
    """Of what the library reports; what others wrote into it may have any shape."""
    state = store.get("validation_state")
    active = _dict(_dict(store.get("manifests")).get(str(store.get("active_manifest"))))
    actions = [
        _dict(action)
        for assertion in _list(active.get("assertions"))
        if str(_dict(assertion).get("label")).startswith("c2pa.actions")
        for action in _list(_dict(_dict(assertion).get("data")).get("actions"))
    ]
    signature = _dict(active.get("signature_info"))
    program = _dict(next(iter(_list(active.get("claim_generator_info"))), {}))
    models = (_dict(action.get("parameters")).get(MODEL) for action in actions)
    faults = (_dict(fault) for fault in _list(store.get("validation_status")))
    return Manifest(
        {"Trusted": "valid", "Valid": "untrusted"}.get(str(state), "invalid"),  # type: ignore[arg-type]
        signer=_clean(signature.get("common_name") or signature.get("issuer")),
        program=_clean(f"{program.get('name', '')} {program.get('version', '')}"),
        model=_clean(next(filter(None, models), "")),
        actions=tuple(_clean(action.get("description") or action.get("action")) for action in actions),
        machine_made=any(
            str(action.get("digitalSourceType")).endswith("rainedAlgorithmicMedia") for action in actions
        ),
        faults=() if state in ("Trusted", "Valid") else tuple(_fault(fault) for fault in faults),
    )


def _fault(status: dict[str, Any]) -> str:
    if str(status.get("code")).endswith("Hash.mismatch"):
        return "the picture or the rest of the file is not what was signed"
    return _clean(status.get("explanation") or status.get("code"))


def _holds_manifest(path: Path) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(MANIFEST_BEGINS) >= 0


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _clean(text: object) -> str:
    """One short line without control characters, which could write over the terminal."""
    line = " ".join(str(text or "").split())
    return "".join(letter for letter in line if letter.isprintable())[:LONGEST]


_DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)
"""A PNG of one pixel."""

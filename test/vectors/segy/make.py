"""SEG-Y files as segyio and ObsPy write them, to read in test/io/segy.test.ts.

    pip install segyio==1.9.14 obspy==1.5.1 && python test/vectors/segy/make.py

Two records of three shots over four receivers with five samples; the value of a sample is
(record * 64 + shot * 16 + receiver * 4 + sample - 60) * scale, exact in every format.
"""

from pathlib import Path

import numpy as np
import obspy
import segyio
from obspy.core import AttribDict, Stream, Trace
from obspy.io.segy.segy import SEGYBinaryFileHeader, SEGYTraceHeader
from segyio import TraceField as T

HERE = Path(__file__).parent
RECORDS, SHOTS, RECEIVERS, SAMPLES = 2, 3, 4, 5
SOURCES = [0, 15, 30]


def value(record, shot, receiver):
    return record * 64 + shot * 16 + receiver * 4 + np.arange(SAMPLES) - 60


def traces(order="shots"):
    """(record, shot, receiver) in the order of the file."""
    cells = [(n, s, r) for n in range(RECORDS) for s in range(SHOTS) for r in range(RECEIVERS)]
    if order == "receivers":  # the receivers of a record one after the other, from right to left
        cells.sort(key=lambda cell: (cell[0], -cell[2], cell[1]))
    return cells


def with_segyio(name, code, order="shots", scale=1.0, scalar=-10, extra=None, **binary):
    cells = traces(order)
    spec = segyio.spec()
    spec.format, spec.sorting, spec.samples = code, 1, np.arange(SAMPLES) * 2.0
    spec.tracecount = len(cells) + (1 if extra else 0)
    with segyio.create(HERE / name, spec) as file:
        file.text[0] = segyio.tools.create_text_header({1: f"made by segyio, format {code}"})
        file.bin.update({segyio.BinField.Interval: 2000, segyio.BinField.SEGYRevision: 0x0100, segyio.BinField.MeasurementSystem: 1})
        file.bin.update(binary)
        at = 0
        if extra:  # a time break in front
            file.header[0] = {T.TraceIdentificationCode: 4, T.FieldRecord: 1, T.TRACE_SAMPLE_COUNT: SAMPLES}
            file.trace[0] = np.zeros(SAMPLES, file.dtype)
            at = 1
        for record, shot, receiver in cells:
            unit = -scalar if scalar < 0 else 1 / scalar
            file.header[at] = {
                T.FieldRecord: record * SHOTS + shot + 1,
                T.TraceNumber: receiver + 1,
                T.TraceIdentificationCode: 1,
                T.SourceGroupScalar: scalar,
                T.SourceX: round((1000 + SOURCES[shot]) * unit),
                T.GroupX: round((1000 + 10 * receiver) * unit),
                T.TRACE_SAMPLE_COUNT: SAMPLES,
                T.TRACE_SAMPLE_INTERVAL: 2000,
            }
            file.trace[at] = (value(record, shot, receiver) * scale).astype(file.dtype)
            at += 1


def map_with_segyio(name):
    """One map of five rows and four columns, as section tools store models: CDP numbers, no positions."""
    spec = segyio.spec()
    spec.format, spec.samples, spec.tracecount = 1, np.arange(SAMPLES) * 10.0, RECEIVERS
    with segyio.create(HERE / name, spec) as file:
        file.text[0] = segyio.tools.create_text_header({1: "velocity model, m/s"})
        file.bin.update({segyio.BinField.Interval: 10000})
        for column in range(RECEIVERS):
            file.header[column] = {T.CDP: 101 + column, T.TraceIdentificationCode: 1}
            file.trace[column] = (1500 + 100 * np.arange(SAMPLES) + column).astype(np.float32)


def with_obspy(name, encoding):
    stream = Stream()
    for record, shot, receiver in traces():
        dtype = {3: np.int16, 5: np.float32, 1: np.float32}[encoding]
        trace = Trace(value(record, shot, receiver).astype(dtype))
        trace.stats.delta = 0.002
        header = SEGYTraceHeader()
        header.original_field_record_number = shot + 1  # numbers come again in the second record
        header.trace_number_within_the_original_field_record = receiver + 1
        header.trace_identification_code = 1
        header.scalar_to_be_applied_to_all_coordinates = 1
        header.source_coordinate_x = SOURCES[shot]
        header.group_coordinate_x = 10 * receiver
        trace.stats.segy = AttribDict(trace_header=header)
        stream.append(trace)
    stream.stats = AttribDict(binary_file_header=SEGYBinaryFileHeader(), textual_file_header=f"C 1 made by ObsPy {obspy.__version__}".encode())
    stream.write(str(HERE / name), format="SEGY", data_encoding=encoding, textual_header_encoding="ASCII")


def random_ibm(name):
    """Random floats over a wide range in IBM format, and what segyio reads back."""
    spec = segyio.spec()
    spec.format, spec.samples, spec.tracecount = 1, np.arange(400), 1
    random = np.random.default_rng(5)
    values = (random.standard_normal(400) * 10.0 ** random.uniform(-30, 30, 400)).astype(np.float32)
    with segyio.create(HERE / f"{name}.sgy", spec) as file:
        file.header[0] = {T.TraceIdentificationCode: 1}
        file.trace[0] = values
    with segyio.open(HERE / f"{name}.sgy", strict=False, ignore_geometry=True) as file:
        np.save(HERE / f"{name}.npy", file.trace[0][np.newaxis, np.newaxis, :, np.newaxis].astype("<f4"))


if __name__ == "__main__":
    with_segyio("segyio-ibm.sgy", 1, scale=0.125)
    with_segyio("segyio-ieee.sgy", 5, scale=0.125, scalar=5)
    with_segyio("segyio-int16.sgy", 3, order="receivers")
    with_segyio("segyio-int8.sgy", 8, extra=True)
    map_with_segyio("segyio-map.sgy")
    with_obspy("obspy-ibm.sgy", 1)
    with_obspy("obspy-ieee.segy", 5)
    with_obspy("obspy-int16.sgy", 3)
    random_ibm("segyio-ibm-random")

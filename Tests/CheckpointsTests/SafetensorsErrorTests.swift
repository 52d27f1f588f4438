import Checkpoints
import IngotCore
import Testing

/// What a safetensors file may not be; every message names file or tensor.
@Suite struct SafetensorsErrorTests {
  func open(_ bytes: [UInt8]) throws -> SafetensorsFile {
    try SafetensorsFile(mapped(bytes, name: "m.safetensors"))
  }

  func fails(
    _ header: String, data: Int = 0, _ text: String, _ kind: IngotError.Kind = .format,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expectFailure(kind, text, "m.safetensors", sourceLocation: sourceLocation) {
      try open(safetensors(header, data: data))
    }
  }

  func entry(_ dtype: String, _ shape: String, _ offsets: String) -> String {
    #"{"x": {"dtype": "\#(dtype)", "shape": \#(shape), "data_offsets": \#(offsets)}}"#
  }

  @Test func goodFileOpens() throws {
    let file = try open(
      safetensors(
        #"{"__metadata__": {"format": "pt"}, "b": {"dtype": "U8", "shape": [2, 2], "data_offsets": [4, 8]}, "#
          + #""a": {"dtype": "I32", "shape": [], "data_offsets": [0, 4]}, "#
          + #""none": {"dtype": "F32", "shape": [0, 3], "data_offsets": [4, 4]}}   "#, data: 8))
    #expect(file.tensors.map(\.name) == ["b", "a", "none"])
    #expect(try file.tensors.map { try $0.floats() } == [[4, 5, 6, 7], [0x0302_0100], []])
    #expect(file.metadata == ["format": "pt"])
    #expect(file.tensors[1].rowCount == 1)
  }

  /// A dtype, three elements as bytes, and their values.
  struct Sample: Sendable {
    let dtype: String
    let data: [UInt8]
    let values: [Float]

    init<T: FixedWidthInteger>(_ dtype: String, _ elements: [T], _ values: [Float]) {
      (self.dtype, self.values) = (dtype, values)
      data = elements.flatMap { bytes($0) }
    }
  }

  static let samples: [Sample] = [
    Sample("F64", [1.5, -2, 1e30].map { (value: Double) in value.bitPattern }, [1.5, -2, 1e30]),
    Sample("F32", [1.5, -2, 1e30].map { (value: Float) in value.bitPattern }, [1.5, -2, 1e30]),
    Sample("F16", [0x3C00, 0xC000, 0x0001] as [UInt16], [1, -2, 0x1p-24]),
    Sample("BF16", [0x3F80, 0xC000, 0x7F80] as [UInt16], [1, -2, .infinity]),
    Sample("I64", [1, -2, 1 << 40] as [Int64], [1, -2, 0x1p40]),
    Sample("I32", [1, -2, .min] as [Int32], [1, -2, -0x1p31]),
    Sample("I16", [1, -2, .min] as [Int16], [1, -2, -0x1p15]),
    Sample("I8", [1, -2, .min] as [Int8], [1, -2, -128]),
    Sample("U64", [1, 2, .max] as [UInt64], [1, 2, 0x1p64]),
    Sample("U32", [1, 2, .max] as [UInt32], [1, 2, 0x1p32]),
    Sample("U16", [1, 2, .max] as [UInt16], [1, 2, 65_535]),
    Sample("U8", [1, 2, 255] as [UInt8], [1, 2, 255]),
    Sample("BOOL", [0, 1, 2] as [UInt8], [0, 1, 1]),
  ]

  @Test(arguments: samples) func everyDTypeReadsAtOddOffsets(_ sample: Sample) throws {
    // One byte before the tensor puts it off its alignment, whatever the header's length.
    let header =
      #"{"pad": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}, "#
      + #""x": {"dtype": "\#(sample.dtype)", "#
      + #""shape": [3, 1], "data_offsets": [1, \#(sample.data.count + 1)]}}"#
    for space in ["", " "] {
      let file = try open(safetensors(header + space) + [9] + sample.data)
      #expect(try file.tensors[1].floats() == sample.values)
    }
  }

  @Test func shortFileFails() {
    expectFailure(.format, "a file of 7 bytes") { try open([0, 0, 0, 0, 0, 0, 0]) }
    expectFailure(.format, "a file of 0 bytes") { try open([]) }
  }

  @Test func hugeHeaderLengthFails() {
    for length in [UInt64.max, 100_000_001] {
      expectFailure(.format, "longer than the 100000000 allowed") { try open(bytes(length) + [0x7B]) }
    }
    expectFailure(.format, "does not fit in the file's 9", "incomplete") {
      try open(bytes(UInt64(2)) + [0x7B])
    }
  }

  @Test func headerMustBeAnObject() {
    fails("[]", "not a JSON object")
    fails(" {}", "not a JSON object")
    fails("", "not a JSON object")
    fails("{", "broken JSON")
    fails("{} x", "text after the document")
  }

  @Test func metadataMustBeTexts() {
    fails(#"{"__metadata__": {"a": 1}}"#, "__metadata__.a")
    fails(#"{"__metadata__": []}"#, "metadata must be texts")
  }

  @Test func entryMustBeWhole() {
    fails(#"{"x": 3}"#, "must be an object")
    fails(#"{"x": {"shape": [1], "data_offsets": [0, 4]}}"#, "no dtype")
    fails(#"{"x": {"dtype": "F32", "data_offsets": [0, 4]}}"#, "no shape")
    fails(#"{"x": {"dtype": "F32", "shape": [1]}}"#, "data_offsets must be two integers")
    fails(entry("F32", "[1]", "[0]"), "data_offsets must be two integers")
    fails(entry("F32", "[1]", "[0, 4.5]"), "data_offsets must be two integers")
  }

  @Test func unknownDTypesFail() {
    fails(entry("F8_E4M3", "[1]", "[0, 1]"), data: 1, "dtype F8_E4M3 is not supported", .unsupported)
    fails(entry("F8_E4M3", "[1]", "[0, 1]"), data: 1, "BF16", .unsupported)
    fails(entry("float", "[1]", "[0, 4]"), data: 4, "unknown dtype \"float\"")
  }

  @Test func impossibleShapesFail() {
    fails(entry("F32", "[-1]", "[0, 4]"), data: 4, "impossible shape [-1]")
    fails(entry("F32", "[4294967296, 4294967296]", "[0, 4]"), data: 4, "impossible shape")
    fails(entry("F32", "[9223372036854775807]", "[0, 4]"), data: 4, "impossible shape")
    fails(entry("F32", "[9223372036854775808]", "[0, 4]"), data: 4, "not a list of integers")
    fails(entry("F32", "[1.5]", "[0, 4]"), data: 4, "not a list of integers")
    fails(entry("F32", #"["1"]"#, "[0, 4]"), data: 4, "not a list of integers")
  }

  @Test func offsetsMustFit() {
    fails(entry("F32", "[1]", "[0, 4]"), data: 3, "end beyond the file's 3 bytes")
    fails(entry("F32", "[1]", "[4, 0]"), data: 4, "impossible data_offsets [4, 0]")
    fails(entry("F32", "[1]", "[-4, 0]"), data: 4, "impossible data_offsets")
    fails(entry("F32", "[1]", "[9223372036854775806, 9223372036854775807]"), data: 4, "end beyond")
    fails(entry("F32", "[2]", "[0, 4]"), data: 4, "span 4 bytes where f32 [2] takes 8")
    fails(entry("F32", "[2]", "[0, 4]"), data: 4, "tensor \"x\"")
  }

  func pair(_ first: String, _ second: String) -> String {
    #"{"x": {"dtype": "U8", "shape": [4], "data_offsets": \#(first)}, "#
      + #""y": {"dtype": "U8", "shape": [4], "data_offsets": \#(second)}}"#
  }

  @Test func overlapsFail() {
    fails(pair("[0, 4]", "[2, 6]"), data: 6, "tensor \"y\"")
    fails(pair("[0, 4]", "[2, 6]"), data: 6, "overlaps another")
    fails(pair("[0, 4]", "[0, 4]"), data: 4, "overlaps another")
  }

  @Test func holesFail() {
    fails(pair("[0, 4]", "[5, 9]"), data: 9, "1 bytes before its data belong to no tensor")
    fails(pair("[1, 5]", "[5, 9]"), data: 9, "1 bytes before its data")
    fails(pair("[0, 4]", "[4, 8]"), data: 10, "the last 2 bytes belong to no tensor")
  }

  @Test func duplicateNamesFail() {
    let one = #""x": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}"#
    fails("{\(one), \(one)}", data: 1, "lists a name twice")
  }

  @Test func missingFileFails() {
    expectFailure(.io, "/nowhere/x.safetensors") { try SafetensorsFile(path: "/nowhere/x.safetensors") }
  }
}

/// The little-endian bytes of an integer.
func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

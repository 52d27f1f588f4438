import IngotCore
import ONNXRuntime
import TestSupport
import Testing

@Suite(.enabled(if: library != nil, "ONNX Runtime is not installed")) struct BindingTests {
  private func rows(_ start: Float) throws -> OrtValue {
    let value = try OrtValue(library!, dtype: .f32, shape: [1, 2, 1, 4])
    for index in 0..<8 {
      value.bytes.storeBytes(of: start + Float(index), toByteOffset: index * 4, as: Float.self)
    }
    return value
  }

  @Test func aPresentBecomesTheNextPastWithoutACopy() throws {
    let binding = try OrtBinding(try session("append.onnx"))
    var past = try OrtValue(library!, dtype: .f32, shape: [1, 2, 0, 4])
    try binding.bind(allocatedOutput: "present")
    for step in 0..<5 {
      try binding.bind(input: "past", to: past)
      try binding.bind(input: "rows", to: try rows(Float(step) * 10))
      try binding.run()
      past = try #require(try binding.takeOutputs()["present"])
      #expect(past.shape == [1, 2, step + 1, 4])
    }
    var expected: [Float] = []
    for head in 0..<2 {
      for step in 0..<5 {
        for element in 0..<4 { expected.append(Float(step * 10 + head * 4 + element)) }
      }
    }
    #expect(try past.hostTensor().array(of: Float.self) == expected)
  }

  @Test func outputsAreWrittenWhereTheyAreBound() throws {
    let binding = try OrtBinding(try session("append.onnx"))
    let buffer = try AlignedBuffer(byteCount: 64 + 32 + 64)
    let target = try OrtValue(library!, dtype: .f32, shape: [1, 2, 1, 4], buffer: buffer, offset: 64)
    try binding.bind(input: "past", to: try OrtValue(library!, dtype: .f32, shape: [1, 2, 0, 4]))
    try binding.bind(input: "rows", to: try rows(1))
    try binding.bind(output: "present", to: target)
    try binding.bind(allocatedOutput: "total")
    try binding.run()
    let floats = (0..<buffer.byteCount / 4).map { buffer.bytes.load(fromByteOffset: $0 * 4, as: Float.self) }
    #expect(
      floats == [Float](repeating: 0, count: 16) + [1, 2, 3, 4, 5, 6, 7, 8] + [Float](repeating: 0, count: 16)
    )
    let outputs = try binding.takeOutputs()
    #expect(outputs["present"] === target)
    #expect(try outputs["total"]?.hostTensor().array(of: Int64.self) == [1])
    // What is bound stays bound; its memory is read anew.
    try binding.bind(input: "rows", to: try rows(5))
    try binding.run()
    #expect(target.bytes.load(as: Float.self) == 5)
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let binding = try OrtBinding(try session("append.onnx"))
    let value = try rows(0)
    #expect(failure { try binding.bind(input: "future", to: value) }?.kind == .argument)
    #expect(failure { try binding.bind(allocatedOutput: "future") }?.kind == .argument)
    let halves = try OrtValue(library!, dtype: .f16, shape: [1, 2, 1, 4])
    #expect(failure { try binding.bind(input: "rows", to: halves) }?.kind == .shape)
    #expect(failure { try binding.bind(output: "present", to: halves) }?.kind == .shape)
    try binding.bind(input: "rows", to: value)
    let unbound = failure { try binding.run() }
    #expect(unbound?.what == "the input \"past\" is not bound")
    #expect(unbound?.place.file == fixture("append.onnx"))
    let buffer = try AlignedBuffer(byteCount: 32)
    for (shape, offset) in [([3, 3], 0), ([2, 4], 4), ([1, 1], 30), ([1, 1], -4)] as [([Int], Int)] {
      let error = failure {
        _ = try OrtValue(library!, dtype: .f32, shape: Shape(shape), buffer: buffer, offset: offset)
      }
      #expect(error?.kind == .shape)
    }
  }

  @Test func aTargetOfAnotherLengthIsAnErrorOfTheRun() throws {
    let binding = try OrtBinding(try session("append.onnx"))
    try binding.bind(input: "past", to: try rows(0))
    try binding.bind(input: "rows", to: try rows(1))
    try binding.bind(output: "present", to: try OrtValue(library!, dtype: .f32, shape: [1, 2, 3, 4]))
    #expect(failure { try binding.run() }?.place.file == fixture("append.onnx"))
  }
}

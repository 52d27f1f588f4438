import Foundation
import Generation
import IngotCore
import Staging
import TestSupport
import Testing

/// Writes protobuf.
struct Message {
  var bytes: [UInt8] = []

  mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 128 {
      bytes.append(UInt8(value & 127) | 128)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }
  mutating func add(_ field: UInt64, number: UInt64) {
    varint(field << 3)
    varint(number)
  }
  mutating func add(_ field: UInt64, _ contents: [UInt8]) {
    varint(field << 3 | 2)
    varint(UInt64(contents.count))
    bytes += contents
  }
  mutating func add(_ field: UInt64, _ text: String) { add(field, Array(text.utf8)) }

  /// A `ValueInfoProto`.
  static func port(_ name: String, _ type: UInt64, _ dims: [UInt64?]) -> [UInt8] {
    var shape = Message()
    for dim in dims {
      var entry = Message()
      if let dim { entry.add(1, number: dim) } else { entry.add(2, "length") }
      shape.add(1, entry.bytes)
    }
    var tensor = Message(), kind = Message(), info = Message()
    tensor.add(1, number: type)
    tensor.add(2, shape.bytes)
    kind.add(1, tensor.bytes)
    info.add(1, name)
    info.add(2, kind.bytes)
    return info.bytes
  }

  /// A `TensorProto` of 64 rows.
  static func weight(_ name: String, _ raw: [UInt8]?, external: [(String, String)] = []) -> [UInt8] {
    var tensor = Message(), dims = Message()
    dims.varint(64)
    dims.varint(UInt64(8))
    tensor.add(1, dims.bytes)
    tensor.add(2, number: 1)
    tensor.add(8, name)
    if let raw { tensor.add(9, raw) }
    for (key, value) in external {
      var entry = Message()
      entry.add(1, key)
      entry.add(2, value)
      tensor.add(13, entry.bytes)
    }
    return tensor.bytes
  }

  static func model(_ weights: [[UInt8]]) -> [UInt8] {
    var graph = Message(), model = Message()
    for weight in weights { graph.add(5, weight) }
    graph.add(11, port("input_ids", 7, [1, 4]))
    graph.add(11, port("w", 1, [64, 8]))
    graph.add(12, port("hidden_states", 1, [1, nil, 8]))
    model.add(1, number: 10)
    model.add(7, graph.bytes)
    return model.bytes
  }
}

@Suite struct HeaderTests {
  let folder: Folder
  let raw = (0..<2048).map { UInt8(truncatingIfNeeded: $0 &* 7) }

  init() throws { folder = try Folder() }

  func write(_ bytes: [UInt8], _ name: String = "embed.onnx") throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: folder / name))
    return folder / name
  }

  @Test func portsAndWeightsAreFound() throws {
    let header = try ONNXHeader(path: write(Message.model([Message.weight("w", raw)])))
    #expect(header.ports.inputs == [StagePort("input_ids", .i64, [1, 4])])
    #expect(header.ports.outputs == [StagePort("hidden_states", .f32, [1, nil, 8])])
    let inline = try header.print()
    #expect(inline.weights.map(\.form) == ["1[64,8]"] && inline.weights[0].byteCount == 2048)
    // The same weight beside the model.
    _ = try write([UInt8](repeating: 0, count: 64) + raw, "w.data")
    let external = [("location", "w.data"), ("offset", "64"), ("length", "2048")]
    let beside = try ONNXHeader(path: write(Message.model([Message.weight("w", nil, external: external)])))
    #expect(try beside.print().weights == inline.weights)
    #expect(try beside.print().graph != inline.graph)
  }

  @Test func externalDataIsBesideTheModelAndWhole() throws {
    _ = try write(raw, "w.data")
    for (location, offset, length, word) in [
      ("w.data", "64", "2048", "beyond"), ("w.data", "-1", "8", "offset"), ("w.data", "0", "x", "length"),
      ("w.data", "0", "9223372036854775807", "beyond"), ("../w.data", "0", "8", "not beside"),
      ("/etc/passwd", "0", "8", "not beside"), ("none.data", "0", "8", "none.data"),
    ] {
      let external = [("location", location), ("offset", offset), ("length", length)]
      let path = try write(Message.model([Message.weight("w", nil, external: external)]))
      do {
        _ = try ONNXHeader(path: path).print()
        Issue.record("\(external) was taken")
      } catch { #expect("\(error)".contains(word), "\(error)") }
    }
  }

  @Test func bytesThatAreNoModelAreErrors() throws {
    expectError(.format, "no graph", "embed.onnx") { _ = try ONNXHeader(path: write([])) }
    let model = Message.model([Message.weight("w", raw)])
    for count in stride(from: 1, to: model.count, by: 13) {
      let kind = Self.failure(try write(Array(model[..<count])))
      #expect(kind == nil || kind == .format)
    }
    // None may trap.
    var random = RandomGenerator(seed: 5)
    for _ in 0..<1000 {
      var broken = model
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        // Most of a file is weights.
        let range = Bool.random(using: &random) ? 0..<60 : broken.count - 120..<broken.count
        broken[Int.random(in: range, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let kind = Self.failure(try write(broken))
      #expect(kind == nil || kind == .format || kind == .io)
    }
  }

  /// How reading a file fails, if it does.
  static func failure(_ path: String) -> IngotError.Kind? {
    do throws(IngotError) {
      let header = try ONNXHeader(path: path)
      _ = try header.print()
      _ = try EmbedForm(header.ports, file: path)
      return nil
    } catch {
      // Ports may be damaged in every way.
      return [.shape, .unsupported].contains(error.kind) ? nil : error.kind
    }
  }

  @Test func aFolderSaysWhatIsMissing() throws {
    let loader: StageFolder.Loader = { path throws(IngotError) in throw IngotError(.io, path) }
    expectError(.io, "embed.onnx", folder.path) { _ = try StageFolder(folder.path, loader: loader) }
    expectError(.io, "not a folder") { _ = try StageFolder(folder / "none", loader: loader) }
    for name in ["embed.onnx", "block0.onnx", "block2.onnx"] { _ = try write([], name) }
    let source = try StageFolder(folder.path, loader: loader)
    expectError(.io, "block1.onnx is missing", "block0.onnx, block2.onnx, embed.onnx") {
      _ = try source.blockCount()
    }
    expectError(.io, "output.onnx is missing") { _ = try source.ports(of: .output) }
    #expect(source.has(.block(2)) && !source.has(.output))
    #expect(StageFolder.resolve(folder.path, phase: "prefill") == folder.path)
    try Files.makeFolder(folder / "export/decode")
    _ = try write([], "export/decode/embed.onnx")
    #expect(StageFolder.resolve(folder / "export", phase: "decode") == folder / "export/decode")
    #expect(StageFolder.resolve(folder / "export", phase: "prefill") == folder / "export")
  }
}

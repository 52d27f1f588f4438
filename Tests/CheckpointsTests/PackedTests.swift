import Checkpoints
import Foundation
import IngotCore
import TestSupport
import Testing

/// Weights packed by AWQ, GPTQ and compressed-tensors, against what `Scripts/make_packed_fixtures.py` packed.
@Suite struct PackedTests {
  static let matrices =
    (try? FileManager.default.contentsOfDirectory(atPath: fixture("packed/matrices")).sorted()) ?? []
  static let weight = "model.layers.0.self_attn.q_proj.weight"

  private func open(_ name: String) throws -> CheckpointTensor {
    try openCheckpoint(fixture("packed/matrices/\(name)")).required(Self.weight)
  }

  private func expected(_ name: String) throws -> [Float] {
    try NPY.read(path: fixture("packed/matrices/\(name)/expected.npy")).array(of: Float.self)
  }

  /// Symmetric weights with f16 scales are exact. A minimum rounds by 2⁻¹¹ of itself, at most zero times scale, and a
  /// scale that is no f16 by 2⁻¹¹ of what it scales; both are at most the range of a group's integers times that.
  @Test(arguments: matrices) func valuesAreThoseThatWerePacked(_ name: String) throws {
    let tensor = try open(name)
    let expected = try expected(name)
    #expect(tensor.shape == [24, 256])
    let values = try tensor.floats()
    let isExact =
      !name.contains("asymmetric") && !["awq-gemm", "awq-gemm-channel", "awq-gemv"].contains(name)
      && !["ct-pack-plain-zeros", "ct-pack-8-channel", "ct-bytes", "ct-bytes-tensor", "gptq-8-act-order"]
        .contains(name)
    let steps = name.contains("8") || name.contains("bytes") ? 256.0 : 16.0
    // The largest scale is below 2 · 1.3 / (half · 16).
    let step = 2 * 1.3 / (steps / 2 * 16)
    let bound = isExact ? 0 : Float(2 * steps * step * 0x1p-11)
    #expect(values.count == expected.count)
    let worst = zip(values, expected).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
    #expect(worst <= bound, "\(name): \(worst)")
  }

  @Test(arguments: matrices) func formatsAreTheSmallestThatHoldThem(_ name: String) throws {
    let tensor = try open(name)
    let hasOrder = name.contains("act-order") || name.contains("g-idx")
    #expect((tensor.reordered != nil) == hasOrder)
    guard case .grouped(let format) = (tensor.reordered?.tensor ?? tensor).encoding else {
      Issue.record("\(tensor.encoding)")
      return
    }
    #expect(
      format.bits == (name.contains("8") || name.contains("bytes") || name.contains("v1-called-v2") ? 8 : 4))
    let asymmetric = [
      "awq-gemm", "awq-gemm-channel", "awq-gemv", "ct-pack-plain-zeros", "gptq-8-act-order",
    ]
    #expect(format.hasMinimum == (name.hasSuffix("-asymmetric") || asymmetric.contains(name)))
  }

  /// The groups of act-order hold what the rows in natural order do, bit for bit.
  @Test(arguments: ["gptq-act-order", "gptq-8-act-order", "ct-pack-g-idx"])
  func reorderedFormHoldsTheSame(_ name: String) throws {
    let tensor = try open(name)
    let form = try #require(tensor.reordered)
    #expect(form.inputOrder.sorted() == Array(0..<256))
    #expect(form.inputOrder != Array(0..<256))
    let (natural, ordered) = (try tensor.floats(), try form.tensor.floats())
    for row in 0..<24 {
      for (column, input) in form.inputOrder.enumerated() {
        #expect(ordered[row * 256 + column] == natural[row * 256 + Int(input)])
      }
    }
    let again = try form.natural.floats()
    #expect(again == natural)
  }

  /// Bands of columns and rows out of the middle are what whole rows have there.
  @Test(arguments: matrices) func piecesAreThoseOfTheWhole(_ name: String) throws {
    let tensor = try open(name)
    let values = try tensor.floats()
    var some = [Float](repeating: 0, count: 19 * 256)
    try some.withUnsafeMutableBufferPointer { try tensor.readRows(3..<22, into: $0) }
    #expect(some == Array(values[3 * 256..<22 * 256]))
    let columns = 128..<256
    try tensor.withRow(17, columns: columns) { bytes in
      let whole = try? tensor.withRow(17) { Array($0) }
      let start = columns.lowerBound / tensor.encoding.blockWeights * tensor.encoding.blockBytes
      #expect(Array(bytes) == whole.map { Array($0[start..<start + bytes.count]) })
    }
  }

  // MARK: Broken files

  /// A copy of a fixture with an edited header and configuration.
  private func edited(
    _ name: String, header: (String, String)? = nil, config: (String, String)? = nil,
    data: ((inout [UInt8], Int) -> Void)? = nil
  ) throws -> Folder {
    let folder = try Folder()
    let path = fixture("packed/matrices/\(name)")
    var text = String(decoding: try contents(path + "/config.json"), as: UTF8.self)
    if let config {
      #expect(text.contains(config.0))
      text = text.replacingOccurrences(of: config.0, with: config.1)
    }
    try folder.write(text, to: "config.json")
    var bytes = try contents(path + "/model.safetensors")
    let length = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
    data?(&bytes, 8 + length)
    var head = String(decoding: bytes[8..<8 + length], as: UTF8.self)
    if let header {
      #expect(head.contains(header.0), "\(head)")
      head = head.replacingOccurrences(of: header.0, with: header.1)
    }
    var writer = ByteWriter()
    writer.add(string: head)
    try folder.write(writer.bytes + bytes[(8 + length)...], to: "model.safetensors")
    return folder
  }

  @Test func missingAndMisshapenPiecesAreNamed() throws {
    for (name, header, kind, texts) in [
      (
        "gptq", ("q_proj.scales", "q_proj.scalez"), IngotError.Kind.format,
        ["q_proj.scales\" is missing", "qweight"]
      ),
      ("gptq", ("q_proj.qweight", "q_proj.kweight"), .format, ["qweight\" is missing"]),
      ("ct-pack", ("weight_shape", "weight_shapf"), .format, ["weight_shape\" is missing", "weight_packed"]),
      (
        "gptq", ("\"F16\", \"shape\": [2, 24]", "\"F16\", \"shape\": [24, 2]"), .shape,
        ["scales", "call for [24, 24]"]
      ),
      ("gptq", ("\"shape\": [2, 3]", "\"shape\": [3, 2]"), .shape, ["qzeros"]),
      ("awq-gemm", ("\"shape\": [256, 3]", "\"shape\": [3, 256]"), .shape, ["qweight", "gemv"]),
      ("gptq", ("\"I32\", \"shape\": [256]", "\"F32\", \"shape\": [256]"), .format, ["g_idx", "f32", "i32"]),
    ] {
      let folder = try edited(name, header: header)
      for text in texts { expectFailure(kind, text) { try openCheckpoint(folder.path) } }
    }
  }

  @Test func whatIsNotReadIsRefused() throws {
    for (name, config, text) in [
      ("gptq", ("\"bits\": 4", "\"bits\": 3"), "weights of 3 bits are not read"),
      (
        "gptq", ("\"checkpoint_format\": \"gptq\"", "\"checkpoint_format\": \"marlin\""),
        "\"marlin\" is not read"
      ),
      ("awq-gemm", ("\"version\": \"gemm\"", "\"version\": \"gemv_fast\""), "\"gemv_fast\" is not read"),
      ("gptq", ("\"quant_method\": \"gptq\"", "\"quant_method\": \"fp8\""), "quantised by fp8 are not read"),
      ("ct-pack", ("\"type\": \"int\"", "\"type\": \"float\""), "type float are not read"),
      (
        "ct-pack", ("\"pack-quantized\"", "\"nvfp4-pack-quantized\""), "\"nvfp4-pack-quantized\" are not read"
      ),
    ] {
      let folder = try edited(name, config: config)
      expectFailure(.unsupported, text, "quantization_config") { try openCheckpoint(folder.path) }
    }
    let folder = try edited("gptq", config: ("quantization_config", "other_config"))
    expectFailure(.config, "no quantization_config says how", "qweight") { try openCheckpoint(folder.path) }
    let group = try edited("gptq", config: ("\"group_size\": 128", "\"group_size\": 64"))
    expectFailure(.shape, "128 of 256 inputs", "the configuration says 64") { try openCheckpoint(group.path) }
  }

  /// Groups that do not exist or are of several sizes.
  @Test func brokenOrdersAreErrors() throws {
    for (value, text) in [
      (Int32(4), "of group 4, of 4"), (-7, "of group -7"), (1, "where each must have 64"),
    ] {
      let folder = try edited("gptq-act-order") { bytes, _ in
        let at = bytes.count - 4
        let old = bytes[at]
        withUnsafeBytes(of: (old == 1 && value == 1 ? 2 : value).littleEndian) {
          bytes.replaceSubrange(at..<at + 4, with: $0)
        }
      }
      expectFailure(.format, text, "g_idx") { try openCheckpoint(folder.path) }
    }
  }

  @Test func scalesThatDoNotFitAreErrors() throws {
    for bits in [UInt32(0x7F80_0000), 0x7FC0_0000, 0x4780_0000] {
      let folder = try edited("ct-bytes-tensor") { bytes, _ in
        withUnsafeBytes(of: bits.littleEndian) {
          bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: $0)
        }
      }
      let tensor = try openCheckpoint(folder.path).required(Self.weight)
      expectFailure(.unsupported, "beyond 65504", "weight_scale") { try tensor.floats() }
    }
  }

  /// Older files say beside `config.json` how they were quantised.
  @Test(arguments: [("gptq-asymmetric", "quantize_config.json"), ("awq-gemm", "quant_config.json")])
  func olderConfigurationsAreFound(_ name: String, _ file: String) throws {
    let folder = try edited(name, config: ("quantization_config", "other_config"))
    let json = try JSONParser.parse(path: fixture("packed/matrices/\(name)/config.json"))
    try folder.write(jsonText(json["quantization_config"] ?? .null), to: file)
    let tensor = try openCheckpoint(folder.path).required(Self.weight)
    #expect(try tensor.floats() == open(name).floats())
  }

  @Test func configurationsOfExportsSayNothingOfPacking() throws {
    let json = try configJSON(of: openCheckpoint(fixture("packed/matrices/gptq")))
    #expect(json["quantization_config"] == nil)
    #expect(json["hidden_size"]?.int == 128)
  }
}

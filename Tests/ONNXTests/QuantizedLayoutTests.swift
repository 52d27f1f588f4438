import Checkpoints
import Graph
import IngotCore
import ONNX
import Quantization
import TestSupport
import Testing

/// The bytes of integer weights against digests that numpy made from the operators' definitions, of weights that
/// ONNX Runtime gave back as it should.
@Suite struct QuantizedLayoutTests {
  let folder: Folder

  init() throws { folder = try Folder() }

  static let (outputs, inputs) = (7, 600)

  /// A row of zeros, one of one sign, and inputs that no group divides.
  static func weights() -> [Float] {
    (0..<outputs * inputs).map { index in
      let (n, k) = index.quotientAndRemainder(dividingBy: inputs)
      let weight = Float((n * 7919 + k * 104_729 + n * k * 31) % 2003 - 1001) / 1024
      return n == 2 ? 0 : n == 4 ? abs(weight) : weight
    }
  }

  @Test(arguments: digests.keys.sorted()) func layoutsAreWhatRuntimesRead(name: String) throws {
    let words = name.split(separator: " ")
    let scheme = try BlockQuantization(
      bits: try #require(Int(words[1])), groupSize: Int(words[2]), isSymmetric: words[3] == "symmetric")
    let scales = try #require(DType(rawValue: String(words[4])))
    let dims = [Self.outputs, Self.inputs]
    let checkpoint = try checkpoint(folder, [StoredTensor("w", dims, .f32, Self.weights())])
    let parameter = Parameter("w", dims)
    let piece: WeightPiece =
      words[0] == "matMulNBits"
      ? .matMulNBits(parameter, scheme, scales: scales) : .dequantizeLinear(parameter, scheme, scales: scales)
    let tensors = try WeightWriter(checkpoint, jobs: 1).bytes(of: piece)
    #expect(tensors.map(\.count) == piece.tensors.map(\.byteCount))
    #expect(digestOfBytes(tensors.flatMap { $0 }) == Self.digests[name])
  }

  /// Q4_0 and Q8_0 keep their integers and scales, whatever the layout and whether zeros are stored.
  @Test(arguments: [("llama-q4_0", 4), ("llama-q4_0", 8), ("llama-q8_0", 8)], [true, false])
  func integerBlocksLoseNothing(model: (name: String, bits: Int), symmetric: Bool) throws {
    let checkpoint = try ggufModel(model.name)
    let scheme = try BlockQuantization(bits: model.bits, groupSize: 32, isSymmetric: symmetric)
    let writer = WeightWriter(checkpoint, jobs: 1)
    var count = 0
    for name in checkpoint.tensorNames {
      guard let tensor = checkpoint.tensor(named: name), tensor.shape.rank == 2 else { continue }
      guard tensor.encoding == .block(.q40) || tensor.encoding == .block(.q80) else { continue }
      guard tensor.encoding == .block(.q40) || model.bits == 8 else { continue }
      count += 1
      let (n, k) = (tensor.shape[0], tensor.shape[1])
      let parameter = Parameter(name, [n, k])
      let rows = try writer.bytes(of: .matMulNBits(parameter, scheme, scales: .f16))
      let columns = try writer.bytes(of: .dequantizeLinear(parameter, scheme, scales: .f32))
      let floats = try tensor.floats()
      let byRows = values(rows, scheme, .f16, count: n * k, zerosOfRow: k / 32) { $0 / 32 }
      #expect(byRows == floats, "\(name)")
      let byColumns = values(columns, scheme, .f32, count: n * k, isSigned: symmetric) {
        $0 / n / 32 * n + $0 % n
      }
      #expect(byColumns == turned(floats, n, k), "\(name)")
      #expect(try writer.relativeError(of: .matMulNBits(parameter, scheme, scales: .f16)) == 0)
    }
    #expect(count > 0)
  }

  /// What integers, scales and zero points stand for, where groups are whole.
  /// - Parameter zerosOfRow: zero points after which the next begins at a byte, if any do.
  private func values(
    _ tensors: [[UInt8]], _ scheme: BlockQuantization, _ dtype: DType, count: Int, isSigned: Bool = false,
    zerosOfRow: Int? = nil, scaleOf: (Int) -> Int
  ) -> [Float] {
    func codes(_ bytes: [UInt8]) -> [Int] {
      let raw = scheme.bits == 8 ? bytes.map { Int($0) } : bytes.flatMap { [Int($0 & 15), Int($0 >> 4)] }
      let half = 1 << (scheme.bits - 1)
      return isSigned ? raw.map { $0 >= half ? $0 - 2 * half : $0 } : raw
    }
    let scales = decoded(tensors[1], dtype)
    let middle = isSigned ? 0 : 1 << (scheme.bits - 1)
    var zeros = tensors.count > 2 ? codes(tensors[2]) : [Int](repeating: middle, count: scales.count)
    if let zerosOfRow, zeros.count > scales.count {
      zeros = zeros.enumerated().filter { $0.offset % (zerosOfRow + 1) < zerosOfRow }.map(\.element)
    }
    return codes(tensors[0]).prefix(count).enumerated().map { index, code in
      Float(code - zeros[scaleOf(index)]) * scales[scaleOf(index)]
    }
  }

  @Test func theErrorFallsWithBitsAndGroups() throws {
    let checkpoint = try checkpoint(folder, [StoredTensor("w", [64, 512])])
    let parameter = Parameter("w", [64, 512])
    func error(_ bits: Int, _ group: Int?, _ symmetric: Bool) throws -> Double {
      let scheme = try BlockQuantization(bits: bits, groupSize: group, isSymmetric: symmetric)
      let writer = WeightWriter(checkpoint, jobs: 1)
      return try #require(try writer.relativeError(of: .dequantizeLinear(parameter, scheme, scales: .f16)))
    }
    // Uniform weights of ±2: a step of 4/15 makes an error of step²/12 beside a square of 4/3.
    #expect(abs(try error(4, nil, false) - 0.00444) < 0.0003)
    #expect(try error(4, 32, false) < error(4, 128, false))
    #expect(try error(4, 128, false) < error(4, nil, false))
    #expect(try error(8, nil, true) < error(4, 32, false) / 50)
    #expect(
      try WeightWriter(checkpoint, jobs: 1).relativeError(of: .dense(parameter, .f16, transposed: false))
        == nil)
  }

  /// By `Scripts/make_quantized_weight_fixtures.py`: the tensors of each piece, one after another.
  static let digests: [String: String] = [
    "matMulNBits 4 32 symmetric f32":
      "544a317f33fa12ded31c711215313358401f48415fd2b7c5c5cca18eb1b9cca4",
    "matMulNBits 4 32 symmetric f16":
      "32009187882af53dd640f5ad605ec50f39b8a1c02cda5f939b0ffdf442a61b50",
    "matMulNBits 4 32 asymmetric f32":
      "34a10c8ec7ea946f31773d541a3fc036efdbcbba87d637898adc6286c691a9e8",
    "matMulNBits 4 32 asymmetric f16":
      "1f7839ac7bbf28506847cf2109d8c405234bf71bc4ae865c817b3755142a86a4",
    "matMulNBits 4 64 symmetric f32":
      "53404255c3703e53ccca9c6a1774d2bced35a12c92f43a5f850a36d1fb62c731",
    "matMulNBits 4 64 symmetric f16":
      "339b353a260a869875c47d8fc42dc553e779e1a734c41e0806fc863727535e7b",
    "matMulNBits 4 64 asymmetric f32":
      "1c7bbe2b4087deb8e7b14e93f1462dc31bf641b48b9c023395dba42e909bc0d4",
    "matMulNBits 4 64 asymmetric f16":
      "f7c7b8a1366ea44c62788c85754aa4538da69f9243d453edd14f73a623ef23cb",
    "matMulNBits 4 channel symmetric f32":
      "c19ecedb7c389c905133bfd90cf511ea35b56537fbdc0e9f3d3e3bd35ab0efbc",
    "matMulNBits 4 channel symmetric f16":
      "9857a2503f43020982ac1dadb153aa9de80f06f6b7ee65c8501d75de05ffea5f",
    "matMulNBits 4 channel asymmetric f32":
      "57324e0d68654f9903726b12fea6ecf1baa74679c05719531362d62241ecc8df",
    "matMulNBits 4 channel asymmetric f16":
      "2e388ad995f1d6e427ddcd018376161ddd812d904e79a39453f13833b8156e42",
    "matMulNBits 8 32 symmetric f32":
      "be0518a3dff3bdb3da353dade9f9262bbca6bfcfb4aaf28cdcc57cb8a11bac3b",
    "matMulNBits 8 32 symmetric f16":
      "caa2851b6c383966f68737f0ccaf17f6809dbe083b9f042e613d5c880bc70547",
    "matMulNBits 8 32 asymmetric f32":
      "185d0bba185bf8d527ecd70081081c44a154e6a957fe80d5207486913b7480ab",
    "matMulNBits 8 32 asymmetric f16":
      "90674c63d2978774ee17370b85ef7c40fbb8f873d35f6bfd29fec914b925f3f0",
    "matMulNBits 8 64 symmetric f32":
      "3f73074867888f40cfed400b7dffff26ee18558592303d4c8ca4621789bf356c",
    "matMulNBits 8 64 symmetric f16":
      "1f781fe21cfa8442da4d0558f29f9ccd6f751b3c1cbfedaeda0e219054189eef",
    "matMulNBits 8 64 asymmetric f32":
      "4dd8b1209efd0995c9fa663c31293587606219f0bc891d1f6954aef0cd2de3d7",
    "matMulNBits 8 64 asymmetric f16":
      "0b0a7cea090e4c88d12b8a5d0cb58b85c3904aa09bbff400e2d77eb3c1978082",
    "matMulNBits 8 channel symmetric f32":
      "7225be0fb7af58344e3d90f46994f19df1e14a241e3e348a0a6256c56244b58a",
    "matMulNBits 8 channel symmetric f16":
      "6a6d60a72b1a68ce2ddbea47f408302a4ce037f92a697dcbfbe7dccd1c8a5fc7",
    "matMulNBits 8 channel asymmetric f32":
      "092d025cd942a66451ebf8421eaf60ea93231e7b9ea1765fba14871ad9a1f871",
    "matMulNBits 8 channel asymmetric f16":
      "9eb0f1a56da2dfffae391bcaab34af2a48ef0dbaa5878587fa33d3f4a1254433",
    "dequantizeLinear 4 32 symmetric f32":
      "5b6655b449bc7718694bc908a0ac44ff391b59e973225a65c4dbb3d31e0c8684",
    "dequantizeLinear 4 32 symmetric f16":
      "f7f40015c130975771f06db3859744ec50513b56ba25e31288d7b375b670f85c",
    "dequantizeLinear 4 32 asymmetric f32":
      "f03cd2fec7ac59eeb0361a9b80f980614ae925eb6ae7ecb01c68184406d7cfc1",
    "dequantizeLinear 4 32 asymmetric f16":
      "52588af78309e8312cbf6b4454566be3cee711ac98eb115cdcac08ffb081b6ac",
    "dequantizeLinear 4 64 symmetric f32":
      "0558506a34a3647588459a61edfe41b506a10686760bbe587a16610837542efa",
    "dequantizeLinear 4 64 symmetric f16":
      "2fb2a1241bdf4add37b5f5d69c145f65fa7db02d0d5517000de8c274f00178b7",
    "dequantizeLinear 4 64 asymmetric f32":
      "917db356f1fda4c4be52936018054fed3189cbe5002dfd9310173ec417d3b50c",
    "dequantizeLinear 4 64 asymmetric f16":
      "6983ac6a442a75c765744402398898ba28a660df85acad3adc91d1bd59e3d67e",
    "dequantizeLinear 4 channel symmetric f32":
      "618d62c0e5e7ae295231a017043ce3bd70b3c079c0162c76b05e7b2bc9a95bb4",
    "dequantizeLinear 4 channel symmetric f16":
      "04faebc450462235618ebbdffa38e1997e559c215f4e5430bb2c630a0caa8ef8",
    "dequantizeLinear 4 channel asymmetric f32":
      "9fca0d555c8b2a07657103fba7ae9fa5030ec1b3bf8ad3fa9086c24b3b1f7be4",
    "dequantizeLinear 4 channel asymmetric f16":
      "c6a8d52385066328c5e8b10620db4b96b0295b87b6b3ae91e6b9bb9e8befccb9",
    "dequantizeLinear 8 32 symmetric f32":
      "011fe03ab67b01761bc741b7f6c87d9bc4e324c8f50eba0c9bb8d4621bc0f6b6",
    "dequantizeLinear 8 32 symmetric f16":
      "87a159c8e7cbb0c0d11ed12c0dc7e133cadf13c68c929545581ca11f62d14a2f",
    "dequantizeLinear 8 32 asymmetric f32":
      "786ca3714807c0beb48c9d4cfb6541a288f2c0bbcd958714cef743743b27f212",
    "dequantizeLinear 8 32 asymmetric f16":
      "8e3e6169bb8de16a58d35e064edfb64f59119ec9760e46ff5a69f23b893e454d",
    "dequantizeLinear 8 64 symmetric f32":
      "73dc350ffac9957180da6134fa066894edc29199623cc4de7b7a33fe5609036b",
    "dequantizeLinear 8 64 symmetric f16":
      "e08f816659d3609a11a41cb450bf170638af5be40ccaad5f0e4dd8cbae8ca005",
    "dequantizeLinear 8 64 asymmetric f32":
      "0f0a5ff399a0df628a611a88e60912441bbe55d7e1cf4e10f00e5637a9c4f275",
    "dequantizeLinear 8 64 asymmetric f16":
      "ec23f04830ed2508b2b9abed51f75cde7b6e8c4b7ab1e7d6d2e95767eb6ae16d",
    "dequantizeLinear 8 channel symmetric f32":
      "1338076d3c5f59608e391d54a64561935d94ef732728c0be4bf29a2f76ea4596",
    "dequantizeLinear 8 channel symmetric f16":
      "7f6a9def583a6eb4b11c81fa76644136711972a8e7cf483e038e7207f19281de",
    "dequantizeLinear 8 channel asymmetric f32":
      "958e4e5bb069254e531ac0d2425bbeef16eea97c74d16654b0c32f7a79f991c8",
    "dequantizeLinear 8 channel asymmetric f16":
      "941f39a1c17b04d630a034e8047deefc158c2354c964f991a3a202b817667867",
  ]
}

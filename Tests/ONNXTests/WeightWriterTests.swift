import Checkpoints
import Foundation
import Graph
import IngotCore
import ONNX
import Quantization
import TestSupport
import Testing

@Suite struct WeightWriterTests {
  let folder: Folder

  init() throws { folder = try Folder() }

  private func write(
    _ checkpoint: any Checkpoint, _ pieces: [WeightPiece], jobs: Int = 2
  ) throws -> (file: WeightLayout.File, bytes: [UInt8], digest: String) {
    let file = layout(pieces)
    let digest = try WeightWriter(checkpoint, jobs: jobs).write(file, to: folder / "weights")
    return (file, try contents(folder / "weights"), digest)
  }

  static let floatTypes: [DType] = [.f32, .f16, .bf16]

  @Test(arguments: floatTypes, floatTypes) func densePiecesHoldTheCheckpointsValues(from: DType, to: DType)
    throws
  {
    // Extents that no vector divides, a tensor of several segments, and a parameter of two parts.
    let tensors = [
      StoredTensor("a", [37, 75], from, seed: 1), StoredTensor("b", [5, 75], from, seed: 2),
      StoredTensor("big", [1031, 1230], from, seed: 3), StoredTensor("norm", [75], from, seed: 4),
    ]
    let checkpoint = try checkpoint(folder, tensors)
    let parts = Parameter(parts: [.init("a", [37, 75]), .init("b", [5, 75])])
    let big = Parameter("big", [1031, 1230])
    let (file, bytes, _) = try write(
      checkpoint,
      [
        .dense(parts, to, transposed: false), .dense(parts, to, transposed: true),
        .dense(big, to, transposed: false), .dense(big, to, transposed: true),
        .dense(Parameter("norm", [75]), to, transposed: false),
      ])
    let stored = tensors.map { decoded(encoded($0.floats, from), from) }
    let both = stored[0] + stored[1]
    let wanted = [both, turned(both, 42, 75), stored[2], turned(stored[2], 1031, 1230), stored[3]]
    var end = 0
    for ((_, offsets), floats) in zip(file.pieces, wanted) {
      #expect(bytes[end..<offsets[0]].allSatisfy { $0 == 0 })
      end = offsets[0] + floats.count * to.byteCount
      #expect(Array(bytes[offsets[0]..<end]) == encoded(floats, to))
    }
    #expect(bytes.count == end)
  }

  @Test(arguments: [
    "llama-bf16-linear", "llama-f16-yarn", "llama-f32", "llama-q4_0", "llama-q4_k_m", "qwen2-q5_k_m",
  ]) func everyEncodingOfGGUFIsRead(model: String) throws {
    let checkpoint = try ggufModel(model)
    let writer = WeightWriter(checkpoint, jobs: 1)
    for name in checkpoint.tensorNames {
      let tensor = try #require(checkpoint.tensor(named: name))
      let parameter = Parameter(name, tensor.shape.dims)
      let floats = try tensor.floats()
      let asHalves = try writer.bytes(of: .dense(parameter, .f16, transposed: false))
      #expect(asHalves == [encoded(floats, .f16)], "\(name)")
      guard tensor.shape.rank == 2 else { continue }
      let asFloats = try writer.bytes(of: .dense(parameter, .f32, transposed: true))
      #expect(asFloats == [encoded(turned(floats, tensor.shape[0], tensor.shape[1]), .f32)], "\(name)")
    }
  }

  @Test func bytesDependNeitherOnThreadsNorOnTheWay() throws {
    let scheme = try BlockQuantization(bits: 4, groupSize: 32, isSymmetric: false)
    let channel = try BlockQuantization(bits: 8, groupSize: nil, isSymmetric: true)
    let checkpoint = try checkpoint(folder, [StoredTensor("w", [1501, 1700], .bf16)])
    let parameter = Parameter("w", [1501, 1700])
    let pieces: [WeightPiece] = [
      .dense(parameter, .f16, transposed: true), .matMulNBits(parameter, scheme, scales: .f16),
      .dequantizeLinear(parameter, scheme, scales: .f32), .dequantizeLinear(parameter, channel, scales: .f32),
      .computed(ComputedTensor(key: "ones", dtype: .f16, dims: [3]) { [1, 1, 1] }),
    ]
    let (file, bytes, digest) = try write(checkpoint, pieces, jobs: 1)
    #expect(bytes.count == file.byteCount)
    #expect(digest == (try digestOfFile(folder / "weights")))
    for jobs in [2, 3, 8] {
      let again = try write(checkpoint, pieces, jobs: jobs)
      #expect(again.digest == digest)
      #expect(again.bytes == bytes)
    }
    for (piece, offsets) in file.pieces {
      for (tensor, offset) in zip(try WeightWriter(checkpoint, jobs: 1).bytes(of: piece), offsets) {
        #expect(Array(bytes[offset..<offset + tensor.count]) == tensor)
      }
    }
  }

  @Test func progressGrowsToTheLengthOfTheFile() throws {
    let checkpoint = try checkpoint(folder, [StoredTensor("w", [2000, 1000])])
    let file = layout([.dense(Parameter("w", [2000, 1000]), .f32, transposed: false)])
    var reports: [Int] = []
    _ = try WeightWriter(checkpoint, jobs: 2).write(file, to: folder / "weights") { reports.append($0) }
    #expect(reports == reports.sorted())
    #expect(reports.last == 8_000_000)
  }

  @Test(arguments: [false, true]) func valuesTooLargeForHalvesAreErrors(transposed: Bool) throws {
    var floats = [Float](repeating: 1, count: 64 * 64)
    let piece = WeightPiece.dense(Parameter("large.weight", [64, 64]), .f16, transposed: transposed)
    for dtype in [DType.f32, .bf16] {
      floats[4000] = dtype == .f32 ? -65520 : -65536
      let checkpoint = try checkpoint(folder, [StoredTensor("large.weight", [64, 64], dtype, floats)])
      let error = #expect(throws: IngotError.self) { try write(checkpoint, [piece]) }
      #expect(error?.kind == .unsupported)
      #expect(error?.place.tensor == "large.weight")
      #expect(error?.hint?.contains("bf16") == true)
      #expect(try folder.names == ["config.json", "model.safetensors"])
    }
    // What is infinite already stays so.
    floats[4000] = -.infinity
    let checkpoint = try checkpoint(folder, [StoredTensor("large.weight", [64, 64], .bf16, floats)])
    #expect(decoded(try write(checkpoint, [piece]).bytes, .f16).contains(-.infinity))
  }

  @Test func tensorsThatDoNotFitAreErrors() throws {
    let checkpoint = try checkpoint(folder, [StoredTensor("w", [4, 6]), StoredTensor("v", [4])])
    let missing = WeightPiece.dense(Parameter("x", [4, 6]), .f32, transposed: false)
    let misshapen = WeightPiece.dense(Parameter("w", [6, 4]), .f32, transposed: false)
    let vector = WeightPiece.dense(Parameter("v", [4]), .f32, transposed: true)
    let integers = WeightPiece.dense(Parameter("w", [4, 6]), .i32, transposed: false)
    for (piece, kind) in [
      (missing, IngotError.Kind.format), (misshapen, .shape), (vector, .shape), (integers, .argument),
    ] {
      let error = #expect(throws: IngotError.self) { try write(checkpoint, [piece]) }
      #expect(error?.kind == kind)
    }
    #expect(try folder.names == ["config.json", "model.safetensors"])
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity]) func integersNeedFiniteWeights(value: Float) throws {
    var floats = [Float](repeating: 0.5, count: 6 * 80)
    floats[5 * 80 + 79] = value
    let checkpoint = try checkpoint(folder, [StoredTensor("broken.weight", [6, 80], .f32, floats)])
    let parameter = Parameter("broken.weight", [6, 80])
    for group in [32, nil] {
      let scheme = try BlockQuantization(bits: 8, groupSize: group, isSymmetric: false)
      for piece in [
        WeightPiece.matMulNBits(parameter, scheme, scales: .f32),
        .dequantizeLinear(parameter, scheme, scales: .f32),
      ] {
        let error = #expect(throws: IngotError.self) { try write(checkpoint, [piece]) }
        #expect(error?.place.tensor == "broken.weight")
        #expect(error?.what.contains("row 5") == true)
      }
    }
  }

  #if os(Linux)
    @Test func aFullDiskIsAnError() throws {
      let checkpoint = try checkpoint(folder, [StoredTensor("w", [2000, 1000])])
      let file = layout([.dense(Parameter("w", [2000, 1000]), .f32, transposed: false)])
      let error = #expect(throws: IngotError.self) {
        try WeightWriter(checkpoint, jobs: 2).write(file, to: "/dev/full")
      }
      #expect(error?.kind == .io)
      #expect(error?.description.contains("No space left") == true)
    }
  #endif

  @Test func severalFilesAreWrittenAtOnce() async throws {
    let checkpoint = try checkpoint(folder, [StoredTensor("w", [1200, 900], .bf16)])
    let writer = WeightWriter(checkpoint, jobs: 2)
    let file = layout([.dense(Parameter("w", [1200, 900]), .f16, transposed: true)])
    let path = folder.path
    let digests = try await withThrowingTaskGroup(of: String.self) { group in
      for index in 0..<4 { group.addTask { try writer.write(file, to: "\(path)/part\(index)") } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(digests).count == 1)
    #expect(try digestOfFile(folder / "part3") == digests[0])
  }
}

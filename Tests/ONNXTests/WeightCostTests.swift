import Checkpoints
import Foundation
import Graph
import IngotCore
import ONNX
import Quantization
import Testing

/// What an export costs, measured on a checkpoint that `INGOT_EXPORT_MODEL` names; build with optimisation.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["INGOT_EXPORT_MODEL"] != nil))
struct WeightCostTests {
  @Test func memoryStaysBounded() throws {
    let environment = ProcessInfo.processInfo.environment
    let checkpoint = try openCheckpoint(environment["INGOT_EXPORT_MODEL"] ?? "")
    let target = environment["INGOT_EXPORT_TARGET"] ?? NSTemporaryDirectory() + "ingot-weights"
    let scheme = try BlockQuantization(bits: 4, groupSize: 32, isSymmetric: false)
    var pieces: [WeightPiece] = []
    var largest = 0
    for name in checkpoint.tensorNames {
      guard let tensor = checkpoint.tensor(named: name) else { continue }
      largest = max(largest, tensor.byteRange.count)
      let parameter = Parameter(name, tensor.shape.dims)
      let isMatrix = tensor.shape.rank == 2
      switch environment["INGOT_EXPORT_FORM"] {
      case "nbits" where isMatrix: pieces.append(.matMulNBits(parameter, scheme, scales: .f16))
      case "dequantize" where isMatrix: pieces.append(.dequantizeLinear(parameter, scheme, scales: .f16))
      case "rows": pieces.append(.dense(parameter, .f16, transposed: false))
      default:
        pieces.append(.dense(parameter, .f16, transposed: isMatrix && !name.contains("embed_tokens")))
        // The head of a tied model, as `MatMul` wants it.
        if environment["INGOT_EXPORT_FORM"] == "head", name.contains("embed_tokens") {
          pieces.append(.dense(parameter, .f16, transposed: true))
        }
      }
    }
    let file = layout(pieces)
    let start = Date()
    let before = peakBytes()
    let jobs = Int(environment["INGOT_EXPORT_JOBS"] ?? "") ?? 2
    _ = try WeightWriter(checkpoint, jobs: jobs).write(file, to: target)
    let seconds = Date().timeIntervalSince(start)
    print(
      "\(file.byteCount >> 20) MiB in \(seconds) s, peak \(peakBytes() >> 20) MiB (\(before >> 20) before)")
    #expect(peakBytes() <= 3 * largest + 300_000_000)
  }

  /// The most memory this process has held, mapped pages of files included; 0 where the system does not say.
  private func peakBytes() -> Int {
    let status = FileHandle(forReadingAtPath: "/proc/self/status")?.readDataToEndOfFile() ?? Data()
    let line =
      String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return (line.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1024
  }
}

import Foundation
import Ingot
import IngotCore
import TestSupport

/// ONNX Runtime, if this machine has it: without it the tests that run exports are skipped.
let onnxRuntime: OrtRuntime? = try? OrtRuntime.load()

/// A form of export, with options that make texts of some dozens of tokens cross every boundary.
enum ExportCase: String, CaseIterable, Sendable {
  case genai, genaiF16, genaiBSHD, shared, sharedF16, staged, stagedBSHD, stagedF16, packed, packedBSHD,
    device
  case deviceBHSD

  var options: ExportOptions {
    var options: ExportOptions
    switch self {
    case .genai, .genaiF16, .genaiBSHD, .shared, .sharedF16: options = ExportOptions(.genai)
    case .staged, .stagedBSHD, .stagedF16: options = ExportOptions(.staged)
    case .packed, .packedBSHD: options = ExportOptions(.packed)
    case .device, .deviceBHSD: options = ExportOptions(.device)
    }
    (options.blocks, options.sequenceLength, options.cacheLength) = (2, 5, 48)
    (options.shareLength, options.unshareLength, options.totalLength, options.rotaryRows) = (7, 4, 48, 64)
    switch self {
    case .genai, .staged, .packed, .device: break
    case .genaiF16, .stagedF16: options.dtype = .f16
    case .genaiBSHD, .stagedBSHD: options.kvLayout = .bshd
    case .packedBSHD: (options.kvLayout, options.packSize) = (.bshd, 1)
    case .deviceBHSD: options.kvLayout = .bhsd
    case .shared: options.operators = .ort
    case .sharedF16: (options.operators, options.dtype) = (.ort, .f16)
    }
    return options
  }

  /// The bound for f32; f16 rounds to 11 bits, of logits up to 12, through two layers.
  var tolerance: Float {
    switch self {
    case .genaiF16, .sharedF16, .stagedF16: 6e-2
    case .genai, .genaiBSHD, .shared, .staged, .stagedBSHD, .packed, .packedBSHD, .device, .deviceBHSD: 1e-4
    }
  }
}

/// An export of a fixture in a folder of its own.
struct ExportFolder {
  let folder: Folder
  var path: String { folder.path }

  init(_ fixture: ModelFixture, _ options: ExportOptions) throws {
    folder = try Folder()
    let export = try ModelExport(try openCheckpoint(fixture.checkpoint), options: options)
    try export.write(to: folder.path, jobs: 1)
  }

  func open(contextLength: Int? = nil) throws -> ONNXModel {
    try ONNXModel(
      directory: path, runtime: onnxRuntime!, options: .init(contextLength: contextLength, threads: 1))
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }
}

extension ModelFixture {
  /// Two layers, grouped heads of 24, norms of q and k, tied embeddings.
  static var qwen3: ModelFixture { safetensors.first { $0.name == "qwen3-tied" }! }
  /// The same with windows of 6 tokens.
  static var sliding: ModelFixture { safetensors.first { $0.name == "qwen3-sliding" }! }
}

internal import CKernels
internal import Checkpoints
internal import Engine
internal import IngotCore
internal import Quantization

/// The search's inner loops with the process's threads.
final class SearchKernels {
  private let pool: ThreadPool
  private let instructionSet = ingot_isa_best()
  private var scratch: UnsafeMutableRawBufferPointer

  init() {
    pool = ThreadPool.shared(threads: ThreadPool.processorCount, spins: EngineOptions().spins)
    scratch = .init(start: nil, count: 0)
  }

  deinit { scratch.deallocate() }

  /// Σ (x · dᵀ)².
  /// - Parameters:
  ///   - x: [count, width].
  ///   - d: [rows, width].
  func energy(_ x: [Float], _ d: [Float], width: Int) -> Double {
    let (count, rows) = (Int64(x.count / width), Int64(d.count / width))
    var context = context(
      scratchBytes: ingot_product_energy_bytes(count, rows, Int64(width), Int32(pool.threadCount)))
    return ingot_product_energy(&context, x, count, d, rows, Int64(width))
  }

  /// xᵍᵀ · xᵍ of each group g of channels: [groups, size, size].
  func moments(_ x: [Float], width: Int, groupSize size: Int) -> [Float] {
    let (count, groups) = (x.count / width, width / size)
    var moments = [Float](repeating: 0, count: groups * size * size)
    var context = context(
      scratchBytes: ingot_gemm_scratch_bytes(
        Int64(size), Int64(size), Int64(count), Int32(pool.threadCount)))
    x.withUnsafeBufferPointer { x in
      moments.withUnsafeMutableBufferPointer { y in
        var product = ingot_gemm_arguments(
          batch: Int64(groups), m: Int64(size), n: Int64(size), k: Int64(count),
          a: x.baseAddress, a_batch: Int64(size), a_row: 1, a_column: Int64(width),
          b: x.baseAddress, b_batch: Int64(size), b_row: Int64(width), b_column: 1,
          y: y.baseAddress, y_batch: Int64(size * size), y_row: Int64(size))
        ingot_gemm(&context, &product)
      }
    }
    return moments
  }

  /// What rounding scaled weights changes, in the weights' own scale.
  /// - Throws: `.unsupported` for weights that integers cannot stand for.
  func differences(
    _ weights: [Float], _ scales: [Float], _ format: GroupedFormat
  ) throws(IngotError) -> [Float] {
    var context = context()
    var status = INGOT_QUANTIZED
    let result = [Float](unsafeUninitializedCapacity: weights.count) { buffer, count in
      status = withRows(weights, scales, width: scales.count, format) {
        ingot_rounding_differences(&context, $0, buffer.baseAddress)
      }
      count = status == INGOT_QUANTIZED ? weights.count : 0
    }
    try GroupedQuantizer.check(status)
    return result
  }

  /// The limit of each group with which rounding loses least: [rows, groups].
  /// - Throws: `.unsupported` for weights that integers cannot stand for.
  func shrinks(
    _ weights: [Float], _ scales: [Float]?, width: Int, _ format: GroupedFormat, moments: [Float], steps: Int,
    candidates: Int
  ) throws(IngotError) -> [UInt8] {
    var context = context()
    var shrinks = [UInt8](repeating: 0, count: weights.count / format.groupSize)
    let status = withRows(weights, scales, width: width, format) {
      ingot_search_limits(&context, $0, moments, Int32(steps), Int32(candidates), &shrinks)
    }
    try GroupedQuantizer.check(status)
    return shrinks
  }

  private func withRows<Result>(
    _ weights: [Float], _ scales: [Float]?, width: Int, _ format: GroupedFormat,
    _ body: (UnsafePointer<ingot_weight_rows>) -> Result
  ) -> Result {
    weights.withUnsafeBufferPointer { weights in
      (scales ?? []).withUnsafeBufferPointer { factors in
        var rows = ingot_weight_rows(
          grouped: format.kernelFormat, rows: Int64(weights.count / width), width: Int64(width),
          weights: weights.baseAddress, scales: scales == nil ? nil : factors.baseAddress)
        return body(&rows)
      }
    }
  }

  private func context(scratchBytes: Int = 0) -> ingot_context {
    if scratch.count < scratchBytes {
      scratch.deallocate()
      scratch = .allocate(byteCount: scratchBytes, alignment: 64)
    }
    return ingot_context(
      pool: pool.handle, threads: Int32(pool.threadCount), isa: instructionSet, scratch: scratch.baseAddress,
      scratch_bytes: scratch.count)
  }
}

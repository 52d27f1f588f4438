import CKernels
import Foundation
import Testing

/// Memory for results: NaN at first, between guards that a kernel must not touch.
final class GuardedFloats {
  static let guardCount = 32
  static let sentinel: UInt32 = 0xDEAD_BEEF
  let count: Int
  private let base: UnsafeMutablePointer<Float>
  var pointer: UnsafeMutablePointer<Float> { base + Self.guardCount }

  init(_ count: Int) {
    self.count = count
    base = .allocate(capacity: count + 2 * Self.guardCount)
    base.initialize(repeating: Float(bitPattern: Self.sentinel), count: count + 2 * Self.guardCount)
  }
  deinit { base.deallocate() }

  var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
  var guardsIntact: Bool {
    (0..<Self.guardCount).allSatisfy {
      base[$0].bitPattern == Self.sentinel && pointer[count + $0].bitPattern == Self.sentinel
    }
  }
}

enum Ops {
  static var instructionSets: [ingot_isa] {
    (0..<UInt32(INGOT_ISA_COUNT)).map { ingot_isa(rawValue: $0) }.filter { ingot_isa_available($0) }
  }

  /// Calls `body` with a context of its own pool and scratch.
  static func withContext(
    _ isa: ingot_isa = ingot_isa_best(), threads: Int = 1, scratchBytes: Int = 0,
    _ body: (UnsafePointer<ingot_context>) -> Void
  ) {
    let pool = threads > 1 ? ingot_pool_create(Int32(threads), 0) : nil
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: max(scratchBytes, 64), alignment: 64)
    memset(scratch, 0xFF, max(scratchBytes, 64))  // all NaN: scratch promises nothing
    var context = ingot_context(
      pool: pool, threads: Int32(threads), isa: isa, scratch: scratch, scratch_bytes: scratchBytes)
    body(&context)
    scratch.deallocate()
    if let pool { ingot_pool_destroy(pool) }
  }

  /// Runs `body` portably and then with every instruction set on 1 and 3 threads; all results must be equal
  /// bit for bit and stay within their bounds. Returns the result.
  static func everyWay(
    _ count: Int, scratchBytes: (Int) -> Int = { _ in 0 }, location: SourceLocation = #_sourceLocation,
    _ body: (UnsafePointer<ingot_context>, UnsafeMutablePointer<Float>) -> Void
  ) -> [Float] {
    var oracle: [Float]?
    for isa in instructionSets {
      for threads in [1, 3] {
        let y = GuardedFloats(count)
        withContext(isa, threads: threads, scratchBytes: scratchBytes(threads)) { body($0, y.pointer) }
        #expect(y.guardsIntact, "wrote outside its result", sourceLocation: location)
        let values = y.values
        if let oracle {
          #expect(
            sameBits(values, oracle), "\(String(cString: ingot_isa_name(isa))), \(threads) threads",
            sourceLocation: location)
        } else {
          oracle = values
        }
      }
    }
    return oracle!
  }

  static func sameBits(_ a: [Float], _ b: [Float]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern }
  }

}

/// What f32 arithmetic leaves: a rounding is 2^-24 at most, squared 3.6e-15; sums of hundreds of terms and
/// functions within 2 ulp stay below thirty of that.
let f32Tolerance = 1e-13

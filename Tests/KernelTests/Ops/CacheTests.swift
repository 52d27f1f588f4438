import CKernels
import Testing

@Suite struct CacheTests {
  @Test(arguments: [INGOT_KV_F32, INGOT_KV_F16], [(1, 2, 5), (3, 10, 9), (2, 64, 300), (4, 80, 70)])
  func rowsComeBackFromTheirSlots(type: ingot_kv, shape: (Int, Int, Int)) {
    let (kvHeads, headDim, tokens) = shape
    var random = OpsRandom(tokens)
    let pageCount = 8
    let bytes = ingot_page_bytes(type, Int64(kvHeads), Int64(headDim)) * pageCount
    let slots = Array((0..<(pageCount * Int(INGOT_PAGE))).map(Int32.init).shuffled(by: &random)[..<tokens])
    let stride = kvHeads * headDim + 3
    let k = random.floats(tokens * stride)
    let v = random.floats(tokens * stride)
    for isa in Ops.instructionSets {
      let pages = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      defer { pages.deallocate() }
      pages.initializeMemory(as: UInt8.self, repeating: 0xFF, count: bytes)
      Self.write(type, shape, slots, k, v, stride, pages, isa)
      var row = [Float](repeating: 0, count: headDim)
      for (token, slot) in slots.enumerated() {
        for head in 0..<kvHeads {
          for (values, source) in [(0, k), (1, v)] {
            ingot_cache_read(
              type, pages, Int64(kvHeads), Int64(headDim), Int64(slot), Int64(head), Int32(values), &row)
            let start = token * stride + head * headDim
            let wanted = source[start..<(start + headDim)].map {
              type == INGOT_KV_F16 ? Float(Float16($0)) : $0
            }
            #expect(Ops.sameBits(row, wanted))
          }
        }
      }
      // Nothing else was touched: as many elements as were not written are still all ones.
      let size = type == INGOT_KV_F16 ? 2 : 4
      let contents = UnsafeRawBufferPointer(start: pages, count: bytes)
      let untouched = (0..<(bytes / size)).count { element in
        contents[(element * size)..<((element + 1) * size)].allSatisfy { $0 == 0xFF }
      }
      #expect(untouched == bytes / size - 2 * tokens * kvHeads * headDim)
    }
  }

  /// Every boundary of rounding, saturation, subnormals and the specials.
  @Test func halvesRoundToNearestEvenAndSaturate() {
    var random = OpsRandom(9)
    var values: [Float] = [
      0, -0.0, 1, 65504, 65519, 65520, 1e6, -1e30, .infinity, -.infinity, 0x1p-24, 0x1p-25,
    ]
    values += [
      0x1.8p-25, 0x1.004p0, 0x1.006p0, 0x1.00Cp0, 0x1.FFEp15, 0x1p-14, 0x1.FFCp-15, 0x1.FFFp-15, 1e-40,
    ]
    while values.count < 512 {
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.bits()))
      if value.isFinite { values.append(value) }
    }
    let headDim = values.count
    let slots: [Int32] = [5]
    for isa in Ops.instructionSets {
      let bytes = ingot_page_bytes(INGOT_KV_F16, 1, Int64(headDim))
      let pages = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      defer { pages.deallocate() }
      Self.write(INGOT_KV_F16, (1, headDim, 1), slots, values, values, headDim, pages, isa)
      for part: Int32 in [0, 1] {
        var row = [Float](repeating: 0, count: headDim)
        ingot_cache_read(INGOT_KV_F16, pages, 1, Int64(headDim), 5, 0, part, &row)
        let wanted = values.map { $0.isInfinite ? $0 : Float(Float16(max(-65504, min(65504, $0)))) }
        #expect(Ops.sameBits(row, wanted))
      }
    }
  }

  private static func write(
    _ type: ingot_kv, _ shape: (Int, Int, Int), _ slots: [Int32], _ k: [Float], _ v: [Float], _ stride: Int,
    _ pages: UnsafeMutableRawPointer, _ isa: ingot_isa
  ) {
    slots.withUnsafeBufferPointer { slots in
      k.withUnsafeBufferPointer { k in
        v.withUnsafeBufferPointer { v in
          var arguments = ingot_cache_arguments()
          (arguments.tokens, arguments.kv_heads, arguments.head_dim) = (
            Int64(shape.2), Int64(shape.0), Int64(shape.1)
          )
          (arguments.type, arguments.slots, arguments.pages) = (type, slots.baseAddress, pages)
          (arguments.k, arguments.k_stride) = (k.baseAddress, Int64(stride))
          (arguments.v, arguments.v_stride) = (v.baseAddress, Int64(stride))
          Ops.withContext(isa, threads: 3) { ingot_cache_write($0, &arguments) }
        }
      }
    }
  }
}

extension Array {
  func shuffled(by random: inout OpsRandom) -> [Element] {
    var copy = self
    for i in copy.indices.reversed() where i > 0 { copy.swapAt(i, random.integer(0...i)) }
    return copy
  }
}

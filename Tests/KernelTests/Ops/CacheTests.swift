import CKernels
import TestSupport
import Testing

@Suite struct CacheTests {
  @Test(
    arguments: [INGOT_KV_F32, INGOT_KV_F16, INGOT_KV_I8], [(1, 2, 5), (3, 10, 9), (2, 64, 300), (4, 80, 70)])
  func rowsComeBackFromTheirSlots(type: ingot_kv, shape: (Int, Int, Int)) {
    let (kvHeads, headDim, tokens) = shape
    var random = SplitMix64(tokens)
    let pageCount = 8
    let bytes = ingot_page_bytes(type, Int64(kvHeads), Int64(headDim)) * pageCount
    let slots = Array((0..<(pageCount * Int(INGOT_PAGE))).map(Int32.init).shuffled(by: &random)[..<tokens])
    let stride = kvHeads * headDim + 3
    let k = random.floats(tokens * stride, -2...2)
    let v = random.floats(tokens * stride, -2...2)
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
            #expect(Ops.sameBits(row, Self.stored(type, source[start..<(start + headDim)])))
          }
        }
      }
      // Nothing else was touched: as many elements as were not written are still all ones.
      if type == INGOT_KV_I8 { continue }  // whose bytes may be all ones
      let size = type == INGOT_KV_F16 ? 2 : 4
      let contents = UnsafeRawBufferPointer(start: pages, count: bytes)
      let untouched = (0..<(bytes / size)).count { element in
        contents[(element * size)..<((element + 1) * size)].allSatisfy { $0 == 0xFF }
      }
      #expect(untouched == bytes / size - 2 * tokens * kvHeads * headDim)
    }
  }

  /// Bytes of every four and scale stand where their own token's write puts them, and no other write does.
  @Test func bytesOfOtherTokensStay() {
    let (kvHeads, headDim) = (2, 40)
    let bytes = ingot_page_bytes(INGOT_KV_I8, Int64(kvHeads), Int64(headDim)) * 2
    var random = SplitMix64(3)
    let k = random.floats(kvHeads * headDim, -2...2)
    let v = random.floats(kvHeads * headDim, -2...2)
    for isa in Ops.instructionSets {
      // Written over zeros and over ones, the bytes that differ are those nobody wrote.
      let pages = [UInt8(0x00), 0xFF].map { fill in
        let pages = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        pages.initializeMemory(as: UInt8.self, repeating: fill, count: bytes)
        Self.write(INGOT_KV_I8, (kvHeads, headDim, 1), [77], k, v, kvHeads * headDim, pages, isa)
        return pages
      }
      defer { for page in pages { page.deallocate() } }
      let written = (0..<bytes).count {
        pages[0].load(fromByteOffset: $0, as: UInt8.self) == pages[1].load(fromByteOffset: $0, as: UInt8.self)
      }
      // 48 bytes and two scales for each key and value.
      #expect(written == 2 * kvHeads * (48 + 2 * 2))
    }
  }

  /// Groups that have no scale: zeros, what is too small for one, NaN and infinity; and the largest that has.
  @Test func scalesOfBytesHaveLimits() {
    let headDim = 32 * 7
    var values = [Float](repeating: 0.5, count: headDim)
    for i in 0..<32 { values[i] = 0 }
    for i in 32..<64 { values[i] = 1e-7 * Float(i % 3) }
    values[64 + 5] = .nan
    values[96 + 31] = -.infinity
    values[128] = 8_000_000
    for i in 160..<192 { values[i] = Float(i - 176) * 0x1p-16 }  // a scale of few bits
    for isa in Ops.instructionSets {
      let bytes = ingot_page_bytes(INGOT_KV_I8, 1, Int64(headDim))
      let pages = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      defer { pages.deallocate() }
      Self.write(INGOT_KV_I8, (1, headDim, 1), [63], values, values, headDim, pages, isa)
      for part: Int32 in [0, 1] {
        var row = [Float](repeating: 0, count: headDim)
        ingot_cache_read(INGOT_KV_I8, pages, 1, Int64(headDim), 63, 0, part, &row)
        #expect(row[..<64].allSatisfy { $0 == 0 })
        #expect(row[64..<128].allSatisfy { $0.isNaN })
        #expect(abs(row[128] / 8_000_000 - 1) < 0x1p-10 && row[129] == 0)
        #expect(Ops.sameBits(Array(row[128...]), Array(Self.stored(INGOT_KV_I8, values[...])[128...])))
      }
    }
  }

  /// What a cache holds of a row.
  private static func stored(_ type: ingot_kv, _ row: ArraySlice<Float>) -> [Float] {
    if type == INGOT_KV_F32 { return Array(row) }
    if type == INGOT_KV_F16 { return row.map { Float(Float16($0)) } }
    return stride(from: row.startIndex, to: row.endIndex, by: 32).flatMap { start -> [Float] in
      let group = row[start..<min(start + 32, row.endIndex)]
      let scale = Float(Float16(group.map(\.magnitude).max()! / 127))
      // A byte has no -0: adding 0 makes it 0.
      return group.map {
        scale > 0 ? max(-127, min(127, ($0 * (1 / scale)).rounded(.toNearestOrEven))) * scale + 0 : 0
      }
    }
  }

  /// Every boundary of rounding, saturation, subnormals and the specials.
  @Test func halvesRoundToNearestEvenAndSaturate() {
    var random = SplitMix64(9)
    var values: [Float] = [
      0, -0.0, 1, 65504, 65519, 65520, 1e6, -1e30, .infinity, -.infinity, 0x1p-24, 0x1p-25,
    ]
    values += [
      0x1.8p-25, 0x1.004p0, 0x1.006p0, 0x1.00Cp0, 0x1.FFEp15, 0x1p-14, 0x1.FFCp-15, 0x1.FFFp-15, 1e-40,
    ]
    while values.count < 512 {
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
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
  func shuffled(by random: inout SplitMix64) -> [Element] {
    var copy = self
    for i in copy.indices.reversed() where i > 0 { copy.swapAt(i, random.integer(0...i)) }
    return copy
  }
}

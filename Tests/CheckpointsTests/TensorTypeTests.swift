import Checkpoints
import IngotCore
import Testing

/// Every type of tensor against the `gguf` package. Fixtures: Scripts/make_gguf_fixtures.py.
@Suite struct TensorTypeTests {
  static let file = Result { try GGUFFile(path: fixture("gguf/types.gguf")) }

  @Test func everyTypeDequantizesBitForBit() throws {
    let file = try Self.file.get()
    let listing = try #require(try JSONParser.parse(path: fixture("gguf/types.json"))["tensors"]?.array)
    #expect(file.tensors.count == listing.count)
    for (tensor, entry) in zip(file.tensors, listing) {
      #expect(tensor.name == entry["name"]?.string)
      #expect(tensor.shape.dims == entry["shape"]?.array?.compactMap(\.int))
      #expect(tensor.encoding.description.uppercased() == entry["type"]?.string)
      let expected = try NPY.read(path: fixture("gguf/types/\(tensor.name).npy")).array(of: UInt32.self)
      #expect(try tensor.floats().map(\.bitPattern) == expected, "\(tensor.name)")
    }
  }

  @Test func rowsReadOneByOneEqualTheWhole() throws {
    for tensor in try Self.file.get().tensors {
      let whole = try tensor.floats()
      for row in 0..<tensor.rowCount {
        let columns = tensor.columnCount
        var one = [Float](repeating: 0, count: columns)
        try one.withUnsafeMutableBufferPointer { try tensor.readRows(row..<row + 1, into: $0) }
        #expect(one.map(\.bitPattern) == whole[row * columns..<(row + 1) * columns].map(\.bitPattern))
        try tensor.withRow(row) { #expect($0.count == tensor.rowByteCount) }
      }
    }
  }

  @Test func metadataOfEveryKindReadsBack() throws {
    let metadata = try Self.file.get().metadata
    #expect(try metadata.integer("ingot.u8") == 255)
    #expect(try metadata.integer("ingot.i8") == -128)
    #expect(try metadata.integer("ingot.u16") == 65_535)
    #expect(try metadata.integer("ingot.i16") == -32_768)
    #expect(try metadata.integer("ingot.u32") == 4_294_967_295)
    #expect(try metadata.integer("ingot.i32") == -2_147_483_648)
    #expect(try metadata.integer("ingot.i64") == .min)
    #expect(metadata["ingot.u64"]?.int == nil)
    #expect(try metadata.number("ingot.u64") == 0x1p64)
    #expect(try metadata.number("ingot.f32") == 0.15625)
    #expect(try metadata.number("ingot.f64") == 0.1)
    #expect(try metadata.bool("ingot.bool.true") == true)
    #expect(try metadata.bool("ingot.bool.false") == false)
    #expect(try metadata.string("ingot.string") == "ingot é 漢字 🙂")
    #expect(try metadata.array("ingot.array.string")?.strings() == ["", "a", "\n", "é"])
    #expect(try metadata.array("ingot.array.i32")?.integers() == [1, -2, 3])
    #expect(try metadata.array("ingot.array.f32")?.floats() == [0.5, -1.25])
    #expect(metadata["ingot.array.array"]?.array?.count == 2)
    expectFailure(.config, "expected string, found integer", "ingot.u8") { try metadata.string("ingot.u8") }
    expectFailure(.format, "expected an array of strings", "ingot.array.i32") {
      try metadata.array("ingot.array.i32")?.strings()
    }
  }

  @Test func ownAlignmentIsHonoured() throws {
    let file = try GGUFFile(path: fixture("gguf/alignment64.gguf"))
    #expect(
      try file.tensors.map { try $0.floats() } == [[97, 98, 99], (0..<17).map { Float($0) + 98 }, [99]])
  }

  @Test(arguments: GGUFBlockType.allCases) func kernelsAgreeOnBlockSizes(type: GGUFBlockType) {
    #expect(blockSizes(type) == [type.blockWeights, type.blockBytes])
  }
}

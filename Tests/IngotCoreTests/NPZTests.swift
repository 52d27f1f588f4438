import Foundation
import IngotCore
import TestSupport
import Testing

@Suite struct NPZTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  private func path(_ name: String) -> String { folder / name }

  static func tensors() throws -> [(String, HostTensor)] {
    [
      ("input_ids", try HostTensor([Int64](0..<7), shape: [7])),
      ("hidden_states.0", try HostTensor((0..<15).map { Float($0) / 3 }, shape: [3, 5])),
      ("empty", try HostTensor([Float](), shape: [0, 4])),
      ("half", try HostTensor([UInt16(0x3C00), 0xC000, 0x7BFF], dtype: .f16, shape: [3])),
      ("größe", try HostTensor([Float.nan, .infinity], shape: [2])),
    ]
  }

  private func write(_ name: String, threshold: Int? = nil) throws -> String {
    var writer =
      if let threshold { try NPZWriter(path: path(name), zip64Threshold: threshold) } else {
        try NPZWriter(path: path(name))
      }
    for (name, tensor) in try Self.tensors() { try writer.append(tensor, named: name) }
    try writer.commit()
    return path(name)
  }

  private func expectTensors(_ path: String) throws {
    let file = try NPZFile(path: path)
    let expected = try Self.tensors()
    #expect(file.names == expected.map(\.0))
    for (name, tensor) in expected {
      let read = try file.tensor(name)
      #expect(read.dtype == tensor.dtype && read.shape == tensor.shape)
      #expect(Array(read.bytes) == Array(tensor.bytes))
    }
  }

  /// The small threshold makes every size and offset a 64-bit one, as in archives beyond 4 GiB.
  @Test(arguments: [nil, 0, 200]) func whatIsWrittenIsRead(threshold: Int?) throws {
    try expectTensors(try write("a.npz", threshold: threshold))
  }

  @Test func elementsBeginAtMultiplesOf64Bytes() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: try write("a.npz")))
    var starts = 0
    for offset in bytes.indices.dropLast(5) where bytes[offset..<offset + 6] == Data([0x93] + "NUMPY".utf8) {
      #expect(offset % 64 == 0)
      starts += 1
    }
    #expect(starts == 5)
  }

  @Test func tensorsMayComeInPieces() throws {
    var writer = try NPZWriter(path: path("b.npz"))
    try writer.begin("x", dtype: .f32, shape: [2, 3])
    for value in 0..<6 {
      try withUnsafeBytes(of: Float(value)) { try writer.append($0) }
    }
    try writer.end()
    try writer.commit()
    #expect(try NPZFile(path: path("b.npz")).tensor("x").array(of: Float.self) == [0, 1, 2, 3, 4, 5])
  }

  @Test func anUnfinishedArchiveLeavesNothing() throws {
    #expect(throws: IngotError.self) {
      var writer = try NPZWriter(path: path("c.npz"))
      try writer.begin("x", dtype: .f32, shape: [2])
      try writer.commit()
    }
    #expect(throws: IngotError.self) {
      var writer = try NPZWriter(path: path("c.npz"))
      let tensor = try HostTensor([Float(1)], shape: [1])
      try writer.append(tensor, named: "x")
      try writer.append(tensor, named: "x")
    }
    #expect(try folder.names == [])
  }

  /// CRC-32 of "123456789", the check value of its definition.
  @Test func theChecksumIsCRC32() {
    var checksum = CRC32()
    Array("1234".utf8).withUnsafeBytes { checksum.update($0) }
    Array("56789".utf8).withUnsafeBytes { checksum.update($0) }
    #expect(checksum.value == 0xCBF4_3926)
    var long = CRC32()
    Array("123456789".utf8).withUnsafeBytes { long.update($0) }
    #expect(long.value == 0xCBF4_3926)
  }

  /// `numpy.savez(f, a=arange(6, dtype=int32).reshape(2, 3), b=float32([1.5]))`, numpy 2.4.6, in base64; and the same
  /// by `savez_compressed`.
  static let numpy =
    "UEsDBC0AAAAAAAAAIQBQtE2E//////////8FABQAYS5ucHkBABAAmAAAAAAAAACYAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2Ny"
    + "JzogJzxpNCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCAzKSwgfSAgICAgICAgICAgICAgICAgICAg"
    + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAEAAAACAAAAAwAAAAQAAAAFAAAAUEsDBC0AAAAA"
    + "AAAAIQBUeS6D//////////8FABQAYi5ucHkBABAAhAAAAAAAAACEAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmNCcs"
    + "ICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgxLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
    + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAADAP1BLAQItAy0AAAAAAAAAIQBQtE2EmAAAAJgAAAAFAAAAAAAAAAAA"
    + "AACAAQAAAABhLm5weVBLAQItAy0AAAAAAAAAIQBUeS6DhAAAAIQAAAAFAAAAAAAAAAAAAACAAc8AAABiLm5weVBLBQYAAAAA"
    + "AgACAGYAAACKAQAAAAA="
  static let compressed =
    "UEsDBC0AAAAIAAAAIQBQtE2E//////////8FABQAYS5ucHkBABAAmAAAAAAAAABVAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxc"
    + "pG6loG6TaaKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsaaOgq1CmQDLgYgYARiJiBmBmIWIGYFYgBQSwME"
    + "LQAAAAgAAAAhAFR5LoP//////////wUAFABiLm5weQEAEACEAAAAAAAAAEgAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWg"
    + "bpNmoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkahjqaOgq1ChQALgaGA/YAUEsBAi0DLQAAAAgAAAAhAFC0TYRV"
    + "AAAAmAAAAAUAAAAAAAAAAAAAAIABAAAAAGEubnB5UEsBAi0DLQAAAAgAAAAhAFR5LoNIAAAAhAAAAAUAAAAAAAAAAAAAAIAB"
    + "jAAAAGIubnB5UEsFBgAAAAACAAIAZgAAAAsBAAAAAA=="

  private func map(_ base64: String) throws -> NPZFile {
    let data = try #require(Data(base64Encoded: base64))
    return try NPZFile(try data.withUnsafeBytes { try MappedFile(copying: $0, name: "test.npz") })
  }

  @Test func numpysOwnArchivesAreRead() throws {
    let file = try map(Self.numpy)
    #expect(file.names == ["a", "b"])
    #expect(try file.tensor("a").array(of: Int32.self) == [0, 1, 2, 3, 4, 5])
    #expect(try file.tensor("a").shape == [2, 3])
    #expect(try file.tensor("b").array(of: Float.self) == [1.5])
  }

  @Test func compressedArchivesAreRefusedWithTheRemedy() throws {
    let file = try map(Self.compressed)
    let error = #expect(throws: IngotError.self) { try file.tensor("a") }
    #expect(error?.kind == .unsupported)
    #expect(error?.hint?.contains("savez") == true)
    #expect(error?.place.tensor == "a")
  }

  @Test func damageIsAnErrorAndNeverATrap() throws {
    let good = try Data(contentsOf: URL(fileURLWithPath: try write("a.npz", threshold: 0)))
    var numbers = SplitMix64(7)
    var refused = 0
    for round in 0..<4000 {
      var bytes = good
      if round % 4 == 0 {
        bytes = bytes.prefix(Int.random(in: 0..<good.count, using: &numbers))
      } else {
        for _ in 0...round % 3 {
          // Mostly in the directory.
          let offset = Int.random(in: (round % 2 == 0 ? 0 : good.count - 600)..<good.count, using: &numbers)
          bytes[offset] = round % 5 == 0 ? 0xFF : UInt8.random(in: 0...255, using: &numbers)
        }
      }
      do {
        let file = try NPZFile(try bytes.withUnsafeBytes { try MappedFile(copying: $0, name: "test.npz") })
        for name in file.names { _ = try file.tensor(name) }
      } catch {
        #expect(error is IngotError)
        refused += 1
      }
    }
    // Some bytes mean nothing: dates, padding.
    #expect(refused > 2000)
  }

  @Test func aFlippedElementIsNoticed() throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: try write("a.npz")))
    // The first element of the first tensor: its header takes two times 64 bytes behind the local one.
    bytes[64 + 128] ^= 1
    let file = try NPZFile(try bytes.withUnsafeBytes { try MappedFile(copying: $0, name: "test.npz") })
    let error = #expect(throws: IngotError.self) { try file.tensor("input_ids") }
    #expect(error?.kind == .format && error?.what.contains("checksum") == true)
  }
}

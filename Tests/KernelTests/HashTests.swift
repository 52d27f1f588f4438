import CKernels
import Testing

@Suite struct HashTests {
  /// Digests of the reference implementation, `xxhsum -H1` of xxHash 0.8.
  @Test(
    arguments: [
      ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
      ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
    ] as [(String, UInt64)])
  func digestsAreThoseOfXXH64(text: String, digest: UInt64) {
    let bytes = Array(text.utf8)
    #expect(ingot_hash64(bytes, bytes.count, 0) == digest)
  }

  @Test func everyByteAndTheSeedCount() {
    for count in [1, 3, 4, 7, 8, 31, 32, 33, 63, 64, 100] {
      var bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
      var seen: Set<UInt64> = [ingot_hash64(bytes, count, 0), ingot_hash64(bytes, count, 1)]
      for index in 0..<count {
        bytes[index] ^= 0x10
        seen.insert(ingot_hash64(bytes, count, 0))
        bytes[index] ^= 0x10
      }
      #expect(seen.count == count + 2)
    }
  }
}

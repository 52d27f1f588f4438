internal import Crypto

extension ArtifactKey {
  /// Bytes that follow from the key and tell nothing about it, for another purpose than encrypting artefacts.
  package func derived(for purpose: String) -> [UInt8] {
    secret.derived(salt: [], info: "ingot: " + purpose, byteCount: 32).withUnsafeBytes { Array($0) }
  }
}

internal import Crypto
internal import CryptoExtras
public import IngotCore

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// How a passphrase becomes a key: scrypt (RFC 7914) with blocks of 1 KiB (r = 8) and no parallelism (p = 1).
public struct KeyDerivation: Sendable, Hashable {
  /// Binary logarithm of the cost N; deriving takes 2^logCost KiB of memory.
  public let logCost: Int
  /// 16 bytes, different in every file.
  public let salt: [UInt8]

  /// 128 MiB and some tenths of a second: what OWASP's password storage cheat sheet recommends for scrypt.
  public static let defaultLogCost = 17
  /// What is accepted: a file must not make its reader allocate more than 256 MiB, nor hide behind nothing.
  public static let logCosts = 10...18

  /// - Throws: `.format` for a cost or salt out of range.
  init(logCost: Int, salt: [UInt8]) throws(IngotError) {
    guard Self.logCosts.contains(logCost), salt.count == 16 else {
      throw IngotError(
        .format,
        "scrypt with a cost of 2^\(logCost); from 2^\(Self.logCosts.lowerBound) to "
          + "2^\(Self.logCosts.upperBound) are accepted")
    }
    (self.logCost, self.salt) = (logCost, salt)
  }

  /// A derivation with a new salt.
  /// - Throws: `.argument` for a cost out of `logCosts`.
  public static func fresh(logCost: Int = defaultLogCost) throws(IngotError) -> KeyDerivation {
    do throws(IngotError) {
      return try KeyDerivation(logCost: logCost, salt: randomBytes(16))
    } catch { throw IngotError(.argument, error.what) }
  }

  /// The key's 32 bytes.
  func key(of passphrase: String) throws(IngotError) -> SymmetricKey {
    guard !passphrase.isEmpty else { throw IngotError(.argument, "the passphrase is empty") }
    do {
      return try KDF.Scrypt.deriveKey(
        from: Data(passphrase.utf8), salt: Data(salt), outputByteCount: 32, rounds: 1 << logCost,
        blockSize: 8,
        parallelism: 1)
    } catch {
      throw IngotError(.memory, "could not derive a key: it takes \(1 << (logCost - 10)) MiB")
    }
  }
}

/// Bytes from the system's generator for secrets.
func randomBytes(_ count: Int) -> [UInt8] {
  var generator = SystemRandomNumberGenerator()
  return (0..<count).map { _ in generator.next() }
}

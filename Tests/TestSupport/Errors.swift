package import IngotCore

/// The error of a kind of ours that a body throws.
package func failure(_ body: () throws -> Void) -> IngotError? {
  do { try body() } catch { return error as? IngotError }
  return nil
}

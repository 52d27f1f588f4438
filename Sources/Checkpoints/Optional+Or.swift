import IngotCore

extension Optional {
  /// This value, or the other, found only when needed: `??` for typed throws, which the standard
  /// operator loses.
  func or(_ other: @autoclosure () throws(IngotError) -> Wrapped?) throws(IngotError) -> Wrapped? {
    if let self { return self }
    return try other()
  }
}

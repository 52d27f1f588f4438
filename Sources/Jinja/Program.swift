/// Where a name's value is at run time: `hops` scopes outward, at `slot`.
struct Reference: Sendable {
  var hops: Int
  var slot: Int
}

/// The slots of a scope and what is loaded into them when it is entered.
struct ScopeLayout: Sendable {
  /// How a slot gets its first value.
  enum Load: Sendable {
    /// From the variables given to `render`, then the globals.
    case resolve(String)
    /// From the same name further out.
    case alias(Reference)
  }

  var slotCount = 0
  var loads: [(slot: Int, load: Load)] = []
  var loopSlot: Int?
  var callerSlot: Int?
  var keywordsSlot: Int?
  var positionalsSlot: Int?
}

/// A parsed template with every name bound to a slot.
struct Program: Sendable {
  var body: [Statement] = []
  /// Indexed by `NameUse.id`.
  var references: [Reference] = []
  /// Indexed by the `scope` of statements; the template's own is 0.
  var scopes: [ScopeLayout] = []
  var hasBlocks = false
}

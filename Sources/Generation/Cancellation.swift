import Synchronization

/// A flag that ends a generation early; may be raised from any thread or signal handler.
public final class Cancellation: Sendable {
  private let flag = Atomic<Bool>(false)

  /// A flag that is not raised.
  public init() {}

  /// Whether it is raised.
  public var isCancelled: Bool { flag.load(ordering: .relaxed) }

  /// Raises it.
  public func cancel() { flag.store(true, ordering: .relaxed) }

  /// Lowers it, for the next generation.
  public func reset() { flag.store(false, ordering: .relaxed) }
}

internal import IngotCore

/// A reply as it grows; the last event is `.finished`. Whoever stops reading ends the reply.
public typealias GenerationStream = AsyncThrowingStream<GenerationEvent, any Error>

extension Generator {
  /// Continues a prompt on a thread of the engine's; parameters and errors as of `generate`.
  public func stream(
    prompt: [Int], options: GenerationOptions = GenerationOptions(), cache: CachedSequence? = nil,
    drafter: (any Drafter)? = nil, on thread: EngineThread
  ) -> GenerationStream {
    .running(on: thread) { (cancellation, onEvent) throws(IngotError) in
      _ = try generate(
        prompt: prompt, options: options, cache: cache, drafter: drafter, cancellation: cancellation,
        onEvent: onEvent)
    }
  }
}

extension ChatSession {
  /// Answers a message on the model's engine thread; errors as of `reply`.
  public func stream(_ message: String) -> GenerationStream {
    do throws(IngotError) {
      return .running(on: try model.engineThread()) { (cancellation, onEvent) throws(IngotError) in
        _ = try self.reply(to: message, cancellation: cancellation, onEvent: onEvent)
      }
    } catch {
      return GenerationStream { $0.finish(throwing: error) }
    }
  }
}

extension AsyncThrowingStream where Element == GenerationEvent, Failure == any Error {
  /// The events of a generation that runs on a thread.
  package static func running(
    on thread: EngineThread,
    _ generate: @escaping @Sendable (Cancellation, (GenerationEvent) -> Void) throws -> Void
  ) -> GenerationStream {
    GenerationStream { continuation in
      let cancellation = Cancellation()
      continuation.onTermination = { _ in cancellation.cancel() }
      thread.run {
        do {
          try generate(cancellation) { continuation.yield($0) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
    }
  }
}

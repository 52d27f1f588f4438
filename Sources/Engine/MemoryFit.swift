public import Checkpoints
public import Graph
public import IngotCore

/// Whether an engine fits in some memory, told before anything is loaded.
public struct MemoryFit: Sendable {
  /// The memory there is.
  public let limit: Int
  /// What the engine takes for the context that was asked for.
  public let memory: DecoderEngine.Memory
  /// The longest context that fits, in whole pages of the cache; nil when not even the shortest does.
  public let longestContext: Int?

  /// Whether what was asked for fits.
  public var fits: Bool { memory.total <= limit }

  /// Plans an engine for a context, and for others until the longest that fits is found.
  /// - Parameter most: the longest context worth asking for.
  /// - Throws: errors of the checkpoint's tensors.
  public init(
    of graph: Graph, for checkpoint: any Checkpoint, options: DecoderEngine.Options, limit: Int, most: Int
  ) throws(IngotError) {
    self.limit = limit
    memory = try DecoderEngine.memory(of: graph, for: checkpoint, options: options)
    func fits(_ pages: Int) throws(IngotError) -> Bool {
      var options = options
      options.contextLength = min(pages * KVCache.pageTokens, most)
      do throws(IngotError) {
        return try DecoderEngine.memory(of: graph, for: checkpoint, options: options).total <= limit
      } catch {
        // More than the system would even reserve.
        if error.kind == .memory || error.kind == .argument { return false }
        throw error
      }
    }
    var (low, high) = (0, max(1, (most + KVCache.pageTokens - 1) / KVCache.pageTokens))
    while low < high {
      let middle = (low + high + 1) / 2
      if try fits(middle) { low = middle } else { high = middle - 1 }
    }
    longestContext = low == 0 ? nil : min(low * KVCache.pageTokens, most)
  }
}

import Engine
import IngotCore
import TestSupport
import Testing

@Suite struct MemoryTests {
  @Test(arguments: 0..<50) func arenaKeepsLivingBuffersApart(seed: UInt64) {
    var random = SplitMix64(seed)
    let requests = (0..<Int.random(in: 0...60, using: &random)).map { _ in
      let first = Int.random(in: 0...40, using: &random)
      return ArenaPlanner.Request(
        byteCount: Int.random(in: 0...5000, using: &random), firstStep: first,
        lastStep: first + Int.random(in: 0...10, using: &random))
    }
    let plan = ArenaPlanner(requests)
    plan.checkInvariants()
    let total = requests.reduce(0) { $0 + ($1.byteCount + 63) / 64 * 64 }
    #expect(plan.byteCount <= total)
  }

  @Test func arenaReusesMemory() {
    let chain = (0..<100).map { ArenaPlanner.Request(byteCount: 640, firstStep: $0, lastStep: $0 + 1) }
    #expect(ArenaPlanner(chain).byteCount == 1280)
  }

  @Test(arguments: 0..<20) func pagesAreNeitherLostNorSharedByMistake(seed: UInt64) throws {
    var random = SplitMix64(seed)
    var pages = PageAllocator(pageCount: 20)
    var held: [Int32] = []
    for _ in 0..<500 {
      switch Int.random(in: 0..<3, using: &random) {
      case 0:
        if pages.freeCount > 0 {
          held.append(try pages.allocate())
        } else {
          #expect(throws: IngotError.self) { try pages.allocate() }
        }
      case 1:
        if let page = held.randomElement(using: &random) {
          pages.retain(page)
          held.append(page)
        }
      default:
        if !held.isEmpty { pages.release(held.remove(at: Int.random(in: 0..<held.count, using: &random))) }
      }
      pages.checkInvariants()
      #expect(Set(held).allSatisfy { page in pages.users(of: page) == held.count { $0 == page } })
    }
  }
}

import Artifact
import IngotCore
import Testing

@Suite struct StageSetTests {
  @Test("A request is served by the smallest set that holds it") func smallest() throws {
    let sets = [
      try StageSet(share: 5888, unshare: 1536, total: 8704),
      try StageSet(share: 1024, unshare: 512, total: 2048),
      try StageSet(share: 512, unshare: 1024, total: 2048),
    ]
    #expect(StageSet.smallest(of: sets, share: 600, total: 2000) == sets[1])
    #expect(StageSet.smallest(of: sets, share: 100, total: 2000) == sets[2])
    #expect(StageSet.smallest(of: sets, share: 2000, total: 2048) == sets[0])
    #expect(StageSet.smallest(of: sets, share: 0, total: 8705) == nil)
  }

  @Test("Lengths that leave nothing to decode are refused", arguments: [(0, 16, 16), (-1, 1, 9), (1, 0, 9)])
  func refused(share: Int, unshare: Int, total: Int) {
    #expect(throws: IngotError.self) { try StageSet(share: share, unshare: unshare, total: total) }
  }
}

internal import IngotCore

extension BuiltInText {
  /// Some ten kilobytes to calibrate with, none of it in `evaluation`.
  ///
  /// Source: William Morris, "News from Nowhere" (1890), chapters XXI and XII; "Beethoven's Letters", translated by
  /// Lady Wallace (1866); Shakespeare, "Romeo and Juliet", act V; W. H. Ainsworth, "Jack Sheppard" (1839): all in the
  /// public domain, from Project Gutenberg's texts. The rest was written for this file.
  package static let calibration = #"""
    When I did wake, to a beautiful sunny morning, I leapt out of bed with my over-night apprehension still \#
    clinging to me, which vanished delightfully however in a moment as I looked around my little sleeping \#
    chamber and saw the pale but pure-coloured figures painted on the plaster of the wall, with verses \#
    written underneath them which I knew somewhat over well. I dressed speedily, in a suit of blue laid ready\#
     for me, so handsome that I quite blushed when I had got into it, feeling as I did so that excited \#
    pleasure of anticipation of a holiday, which, well remembered as it was, I had not felt since I was a \#
    boy, new come home for the summer holidays.

    It seemed quite early in the morning, and I expected to have the hall to myself when I came into it out \#
    of the corridor wherein was my sleeping chamber; but I met Annie at once, who let fall her broom and gave\#
     me a kiss, quite meaningless I fear, except as betokening friendship, though she reddened as she did it,\#
     not from shyness, but from friendly pleasure, and then stood and picked up her broom again, and went on \#
    with her sweeping, nodding to me as if to bid me stand out of the way and look on; which, to say the \#
    truth, I thought amusing enough, as there were five other girls helping her, and their graceful figures \#
    engaged in the leisurely work were worth going a long way to see, and their merry talk and laughing as \#
    they swept in quite a scientific manner was worth going a long way to hear. But Annie presently threw me \#
    back a word or two as she went on to the other end of the hall: "Guest," she said, "I am glad that you \#
    are up early, though we wouldn't disturb you; for our Thames is a lovely river at half-past six on a June\#
     morning: and as it would be a pity for you to lose it, I am told just to give you a cup of milk and a \#
    bit of bread outside there, and put you into the boat: for Dick and Clara are all ready now. Wait half a \#
    minute till I have swept down this row."

    So presently she let her broom drop again, and came and took me by the hand and led me out on to the \#
    terrace above the river, to a little table under the boughs, where my bread and milk took the form of as \#
    dainty a breakfast as any one could desire, and then sat by me as I ate. And in a minute or two Dick and \#
    Clara came to me, the latter looking most fresh and beautiful in a light silk embroidered gown, which to \#
    my unused eyes was extravagantly gay and bright; while Dick was also handsomely dressed in white flannel \#
    prettily embroidered. Clara raised her gown in her hands as she gave me the morning greeting, and said \#
    laughingly: "Look, guest! you see we are at least as fine as any of the people you felt inclined to scold\#
     last night; you see we are not going to make the bright day and the flowers feel ashamed of themselves. \#
    Now scold me!"

    Quoth I: "No, indeed; the pair of you seem as if you were born out of the summer day itself; and I will \#
    scold you when I scold it."

    "Well, you know," said Dick, "this is a special day--all these days are, I mean. The hay-harvest is in \#
    some ways better than corn-harvest because of the beautiful weather; and really, unless you had worked in\#
     the hay-field in fine weather, you couldn't tell what pleasant work it is. The women look so pretty at \#
    it, too," he said, shyly; "so all things considered, I think we are right to adorn it in a simple \#
    manner."

    "Do the women work at it in silk dresses?" said I, smiling.

    Dick was going to answer me soberly; but Clara put her hand over his mouth, and said, "No, no, Dick; not \#
    too much information for him, or I

    FRIAR LAURENCE:
    Bliss be upon you! Tell me, good my friend,
    What torch is yond, that vainly lends his light
    To grubs and eyeless skulls? as I discern,
    It burneth in the Capel's monument.

    BALTHASAR:
    It doth so, holy sir; and there's my master,
    One that you love.

    FRIAR LAURENCE:
    Who is it?

    BALTHASAR:
    Romeo.

    FRIAR LAURENCE:
    How long hath he been there?

    BALTHASAR:
    Full half an hour.

    FRIAR LAURENCE:
    Go with me to the vault.

    BALTHASAR:
    I dare not, sir
    My master knows not but I am gone hence;
    And fearfully did menace me with death,
    If I did stay to look on his intents.

    FRIAR LAURENCE:
    Stay, then; I'll go alone. Fear comes upon me:

    ## Keeping bees through the winter

    Bees do not sleep in winter. They form a cluster around the queen, and by shivering keep its middle near \#
    30 °C while there is frost outside. To do so a colony eats 12 to 18 kg of honey between October and \#
    March; what is taken from it in autumn must be given back as sugar.

    - Weigh each hive in September. Below 25 kg, feed it.
    - Narrow the entrance to 8 mm, so that mice stay out.
    - Do not open a hive below 10 °C, however curious you are.

    struct Hive {
        let name: String
        var weight: Double      // kilograms, with the box
        var isFed = false

        mutating func feed(_ sugar: Double) {
            weight += 0.9 * sugar
            isFed = true
        }
    }

    let light = hives.filter { $0.weight < 25 && !$0.isFed }
    for hive in light { print("\(hive.name): \(25 - hive.weight) kg are missing") }

    Month,Hives,Weight (kg),Lost
    October,14,31.5,0
    December,14,27.2,0
    February,13,22.8,1
    April,12,19.6,1

    Q: How much did the mean hive lose from October to April?
    A: 31.5 - 19.6 = 11.9 kg, which is within what a colony needs.

    SELECT name, weight FROM hives WHERE weight < 25 ORDER BY weight DESC LIMIT 5;

    <ul class="hives"><li id="h1">Orchard</li><li id="h2">South wall</li></ul>

    User: Can you put this into one sentence for a child?
    Assistant: In winter the bees hug each other in a big warm ball, with their queen in the middle, and eat \#
    the honey they saved in summer.

    MOST WORTHY RAGAMUFFIN OF EPIRUS AND BRUNDUSIUM!--

    Give this letter to the editor of the "Observer," but write the address on it first; ask him at the same \#
    time whether his daughter makes great progress on the piano, and if I can be of any use to her by sending\#
     her a copy of one of my compositions. I wrote that I was an "honorary member;" I don't know, however, \#
    whether this is correct; perhaps I ought to have said, "a corresponding member;" neither knowing nor \#
    caring much about such things. You had also better say something on the subject to Bernardum non sanctum \#
    (editor of the "Vienna Zeitschrift"). Make inquiries, too, from Bernard about that knave Ruprecht; tell \#
    him of this queer business, and find out from him how he can punish the villain. Ask both these \#
    philosophical newspaper scribes whether this may be considered an honorable or dishonorable nomination.

    340.

    TO SCHINDLER.

    Master flash in the pan, and wide of the mark! full of reasons, yet devoid of reason!--Everything was \#
    ready yesterday for Gläser (the copyist). As for you, I shall expect you in Hetzendorf to dinner at \#
    half-past two o'clock. If you come later, dinner shall be kept for you.

    341.

    TO SCHINDLER.

    Hetzendorf, July 2, 1823.

    WORTHY HERR V. SCHINDLER,--

    contented, provided he might have a small allowance of gin. The latter request, though treated with \#
    supreme contempt by Mr. Dump, made an impression on some one outside; for not long after the constable \#
    departed, Jack heard a tap at the door, and getting up at the summons, he perceived the tube of a pipe \#
    inserted between the bars. At once divining the meaning of this ingenious device, he applied his mouth to\#
     the tube, and sucked away, while the person outside poured spirit into the bowl. Having drunk as much as\#
     he thought prudent, and thanked his unknown friend for his attention, Jack again lay down on the straw, \#
    and indulged himself with another nap, intending to get up as soon as it was perfectly dark. The strong \#
    potation he had taken, combined with fatigue and anxiety he had previously undergone, made him oversleep \#
    himself, and when he awoke it was just beginning to grow light. Cursing himself for his inertness, Jack \#
    soon shook off this drowsiness, and set to work in earnest. Availing himself of certain inequalities in \#
    the door, he soon managed to climb up to the roof; and securing his feet against a slight projection in \#
    the wall, began to use the fork with great effect. Before many minutes elapsed, he had picked a large \#
    hole in the plaster, which showered down in a cloud of dust; and breaking off several laths, caught hold \#
    of a beam, by which he held with one hand, until with the other he succeeded, not without some \#
    difficulty, in forcing out one of the tiles. The rest was easy. In a few minutes more he had made a \#
    breach in the roof wide enough to allow him to pass through. Emerging from this aperture, he was about to\#
     descend, when he was alarmed by hearing the tramp of horses' feet swiftly approaching, and had only time\#
     to hide himself behind one of the largest sign-boards before alluded to when two horsemen rode up. \#
    Instead of passing on, as Jack expected, these persons stopped opposite the cage, when one of them, as he\#
     judged from the sound, for he did not dare to look out of his hiding place, dismounted. A noise was next\#
     heard, as if some instrument were applied to the door with the intent to force it open, and Jack's fears\#
     were at once dispelled, At first, he had imagined they were officers of justice, come to convey him to a\#
     stronger prison: but the voice of one of the parties, which he recognised, convinced him they were his \#
    friends.

    "Look quick, Blueskin, and be cursed to you!" was growled in the deep tones of Jonathan Wild. "We shall \#
    have the whole village upon us while you're striking the jigger. Use the gilt, man!"

    "There's no need of picklock or crow-bar, here, Mr. Wild," cried Jack, placing his hat on the right arm \#
    of the guide-post, and leaning over the board, "I've done the trick myself."

    "Why, what the devil's this?" vociferated Jonathan, looking up. "Have you broken out of the cage, Jack?"

    "Something like it," replied the lad carelessly.

    "Bravo!" cried the thief-taker approvingly.

    "Well, that beats all I ever heard of!" roared Blueskin.

    El molino estaba al otro lado del río, y para llegar había que cruzar un puente de madera tan estrecho \#
    que dos personas no podían pasar al mismo tiempo. Nadie recordaba quién lo había construido.

    CHAPTER XII: CONCERNING THE ARRANGEMENT OF LIFE

    "Well," I said, "about those 'arrangements' which you spoke of as taking the place of government, could \#
    you give me any account of them?"

    "Neighbour," he said, "although we have simplified our lives a great deal from what they were, and have \#
    got rid of many conventionalities and many sham wants, which used to give our forefathers much trouble, \#
    yet our life is too complex for me to tell you in detail by means of words how it is arranged; you must \#
    find that out by living amongst us. It is true that I can better tell you what we don't do, than what we \#
    do do."

    "Well?" said I.

    "This is the way to put it," said he: "We have been living for a hundred and fifty years, at least, more \#
    or less in our present manner, and a tradition or habit of life has been growing on us; and that habit \#
    has become a habit of acting on the whole for the best. It is easy for us to live without robbing each \#
    other. It would be possible for us to contend with and rob each other, but it would be harder for us than\#
     refraining from strife and robbery. That is in short the foundation of our life and our happiness."

    "Whereas in the old days," said I, "it was very hard to live without strife and robbery. That's what you \#
    mean, isn't it, by giving me the negative side of your good conditions?"

    "Yes," he said, "it was so hard, that those who habitually acted fairly to their neighbours were \#
    celebrated as saints and heroes, and were looked up to with the greatest reverence."

    "While they were alive?" said I.

    "No," said he, "after they were dead."

    "But as to these days," I said; "you don't mean to tell me that no one ever transgresses this habit of \#
    good fellowship?"
    """#
}

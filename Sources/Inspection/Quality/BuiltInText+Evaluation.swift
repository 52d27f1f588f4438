/// Texts that are always at hand, so that a model can be measured and calibrated without a file.
package enum BuiltInText {}

extension BuiltInText {
  /// Some ten kilobytes to measure a model on: prose, letters, verse, instructions, a table, code, JSON, a dialogue,
  /// and a little French and German.
  ///
  /// Source: William Morris, "News from Nowhere" (1890), chapter IV; "Beethoven's Letters", translated by Lady Wallace
  /// (1866), no. 287; Shakespeare, "Coriolanus", act V; W. H. Ainsworth, "Jack Sheppard" (1839): all in the public
  /// domain, from Project Gutenberg's texts. The rest was written for this file.
  package static let evaluation = #"""
    where I was, if I had not started from the waterside; for King Street was gone, and the highway ran \#
    through wide sunny meadows and garden-like tillage. The Creek, which we crossed at once, had been rescued\#
     from its culvert, and as we went over its pretty bridge we saw its waters, yet swollen by the tide, \#
    covered with gay boats of different sizes. There were houses about, some on the road, some amongst the \#
    fields with pleasant lanes leading down to them, and each surrounded by a teeming garden. They were all \#
    pretty in design, and as solid as might be, but countryfied in appearance, like yeomen's dwellings; some \#
    of them of red brick like those by the river, but more of timber and plaster, which were by the necessity\#
     of their construction so like mediaeval houses of the same materials that I fairly felt as if I were \#
    alive in the fourteenth century; a sensation helped out by the costume of the people that we met or \#
    passed, in whose dress there was nothing "modern." Almost everybody was gaily dressed, but especially the\#
     women, who were so well-looking, or even so handsome, that I could scarcely refrain my tongue from \#
    calling my companion's attention to the fact. Some faces I saw that were thoughtful, and in these I \#
    noticed great nobility of expression, but none that had a glimmer of unhappiness, and the greater part \#
    (we came upon a good many people) were frankly and openly joyous.

    I thought I knew the Broadway by the lie of the roads that still met there. On the north side of the road\#
     was a range of buildings and courts, low, but very handsomely built and ornamented, and in that way \#
    forming a great contrast to the unpretentiousness of the houses round about; while above this lower \#
    building rose the steep lead-covered roof and the buttresses and higher part of the wall of a great hall,\#
     of a splendid and exuberant style of architecture, of which one can say little more than that it seemed \#
    to me to embrace the best qualities of the Gothic of northern Europe with those of the Saracenic and \#
    Byzantine, though there was no copying of any one of these styles. On the other, the south side, of the \#
    road was an octagonal building with a high roof, not unlike the Baptistry at Florence in outline, except \#
    that it was surrounded by a lean-to that clearly made an arcade or cloisters to it: it also was most \#
    delicately ornamented.

    This whole mass of architecture which we had come upon so suddenly from amidst the pleasant fields was \#
    not only exquisitely beautiful in itself, but it bore upon it the expression of such generosity and \#
    abundance of life that I was exhilarated to a pitch that I had never yet reached. I fairly chuckled for \#
    pleasure. My friend seemed to understand it, and sat looking on me with a pleased and affectionate \#
    interest. We had pulled up amongst a crowd of carts, wherein sat handsome healthy-looking people,

    287.

    TO THE ROYAL AND IMPERIAL HIGH COURT OF APPEAL.

    Jan. 7, 1820.

    GENTLEMEN,--

    On the plea of the Decree A, I sought to have transferred to myself the guardianship of my nephew, Carl \#
    v. Beethoven, but was referred by the magistracy to the previous decision. On my consequent remonstrance \#
    the same result ensued.

    I find myself the more aggrieved by this, inasmuch as not only are my own rights set at naught, but even \#
    the welfare of my nephew is thus utterly disregarded. I am therefore compelled to have recourse to the \#
    highest Court of Appeal to lay before them my well-founded claim, and rightfully to demand that the \#
    guardianship of my nephew should be restored to me.

    My reasons are the following:--

    1st. I am entitled to the guardianship of my nephew, not only by his father's will, but by law, and this \#
    the Court of Justice confirmed to the exclusion of the mother. When business called me away from Vienna, \#
    I conceded that Herr Nussböck should act for me ad interim. Having now, however, taken up my residence \#
    here, the welfare of my nephew demands that I should again undertake the office of his guardian.

    2d. My nephew has arrived at an age when he requires to be trained to a higher degree of cultivation. \#
    Neither his mother nor his present guardian are calculated to guide the boy in the pursuit of his \#
    studies. The former, in the first place, because she is a woman; and as to her conduct, it has been \#
    legally proved that, to say the least of it, she has no creditable testimonials to bring forward,[1] on \#
    which account she was expressly prohibited from acting by the Court of Justice. How the Honorable \#
    Magistracy could nevertheless again appoint her is quite incomprehensible. The latter is unfit; because, \#
    on the one hand, his office as sequestrator and administrator of houses and lands, occupies his time too \#
    much to enable him properly to undertake the duties of guardian to the boy; and, on the other, because \#
    his previous occupation as a paper manufacturer, does not inspire me with any confidence that he \#
    possesses the intelligence or judgment indispensable to conduct a scientific education.

    3d. The welfare of my nephew is dearer to my heart than it can be to any one else. I am myself childless,\#
     and have no relations except this boy, who is full of talent, and I have good grounds to hope the best \#
    for him, if properly trained. Now I am compelled to hear that he has been delayed a whole year by \#
    remaining in his previous class, from want of means to defray

    MENENIUS:
    For one poor grain or two!
    I am one of those; his mother, wife, his child,
    And this brave fellow too, we are the grains:
    You are the musty chaff; and you are smelt
    Above the moon: we must be burnt for you.

    SICINIUS:
    Nay, pray, be patient: if you refuse your aid
    In this so never-needed help, yet do not
    Upbraid's with our distress. But, sure, if you
    Would be your country's pleader, your good tongue,
    More than the instant army we can make,
    Might stop our countryman.

    MENENIUS:
    No, I'll not meddle.

    SICINIUS:
    Pray you, go to him.

    MENENIUS:
    What should I do?

    BRUTUS:
    Only make trial what your love can do
    For Rome, towards Marcius.

    MENENIUS:
    Well, and say that Marcius
    Return me, as Cominius is return'd,
    Unheard; what then?
    But as a discontented friend, grief-shot
    With his unkindness? say't be so?

    SICINIUS:
    Yet your good will
    must have that thanks from Rome, after the measure
    As you intended well.

    MENENIUS:
    I'll undertake 't:
    I think he'll hear me. Yet, to bite his lip
    And hum at good Cominius, much unhearts me.
    He was not taken well; he had not dined:
    The veins unfill'd, our blood is cold, and then
    We pout upon the morning, are unapt
    To give or to forgive; but when we have stuff'd
    These and these conveyances of our blood
    With wine and feeding, we have suppler souls

    # Unloading a canal boat

    A lock raises a boat by letting water in from the upper reach, and lowers it by letting water out into \#
    the lower one. No engine is needed; gravity does the work. For each passage about 180 cubic metres of \#
    water are spent, so in a dry summer the keeper waits until two boats can share one filling.

    1. Close the upper gates and open the lower sluices.
    2. Wait until the levels agree to within 5 centimetres.
    3. Open the lower gates, bring the boat in, and make it fast.
    4. Close the gates behind it, and open the upper sluices slowly.

    | lock     | rise (m) | length (m) | minutes |
    |----------|---------:|-----------:|--------:|
    | Mill     |      2.4 |       21.9 |      12 |
    | Priory   |      3.1 |       21.9 |      15 |
    | Weir     |      1.8 |       30.5 |      14 |
    | New Cut  |      4.0 |       30.5 |      23 |

    Question: A boat passes Mill, Priory and Weir. How far has it risen, and how long did the locks take?
    Answer: It has risen 2.4 + 3.1 + 1.8 = 7.3 metres, and the locks took 12 + 15 + 14 = 41 minutes.

    def rise(locks):
        """Total rise of a journey, in metres."""
        total = 0.0
        for lock in locks:
            if lock.is_open:
                total += lock.upper_level - lock.lower_level
        return total

    {"boat": "Swallow", "length": 18.3, "cargo": ["coal", "timber"], "locks": [{"name": "Mill", "passed": \#
    true}, {"name": "Priory", "passed": false}], "master": null}

    User: My boat is 22 metres long. Can I get through the Mill lock?
    Assistant: No. The Mill lock takes boats of up to 21.9 metres, and yours is 10 centimetres longer. You \#
    could turn at the basin below it and go by the New Cut, whose lock is 30.5 metres long, although it takes\#
     almost twice the time.

    letters, and Mr. Kneebone assures me he didn't receive them, I can't do otherwise than believe you. And \#
    I've made up my mind that a husband ought to believe only half that he hears, and nothing that he sees."

    "An excellent maxim!" replied his wife, approvingly; "the best I ever heard you utter."

    "I must now go and look after Thames," observed the carpenter.

    "Oh! never mind him: he'll take no harm! Come with me into the parlour. I can't spare you at present. \#
    Heigho!"

    "Now for it!" cried Jack, as the couple entered the room: "the coast's clear."

    Thames was about to follow, when he felt a gentle grasp upon his arm. He turned, and beheld Winifred.

    "Where are you going?" she asked.

    "I shall be back presently," replied Thames, evasively.

    "Don't go, I beg of you!" she implored. "You're in danger. I overheard

    On ne voyait dans la plaine que des peupliers et, de loin en loin, une ferme dont le toit fumait. Le \#
    vieux facteur s'arrêta au bord du chemin, posa son sac et regarda la route qu'il lui restait à faire \#
    avant la nuit.

    Am Morgen lag der See ganz still, und man sah darin die Berge noch einmal. Der Fischer zog sein Boot an \#
    das Ufer, zählte die Fische und sagte, so viele habe er seit dem Frühjahr nicht gefangen.
    """#
}

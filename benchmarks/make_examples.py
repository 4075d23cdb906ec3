"""Write the four binary documents of examples/: two PDFs, two DOCX files.

    python3 -m venv /tmp/ex
    /tmp/ex/bin/pip install reportlab pyphen python-docx
    /tmp/ex/bin/python benchmarks/make_examples.py [FOLDER]      # default: examples/

Needs the Liberation fonts (Debian, Ubuntu: fonts-liberation); FONTS names their folder.
The same versions of these write the same bytes. What is committed is what counts: nobody
needs this script to use Footnoted, only to change these four texts. The other eight
documents are plain files, edited where they lie. All of it is fiction of our own.
"""

import datetime
import os
import sys
import zipfile
from pathlib import Path

FONTS = Path(os.environ.get("FONTS", "/usr/share/fonts/truetype/liberation"))
WRITTEN = datetime.datetime(2031, 11, 30, 12, 0, 0)

# fmt: off
# In the texts below a tuple is (kind, content): "h1", "h2", "p", "list", "table", "note", "figure".

REPORT = [
    ("h1", "Incident report: loss of main power on 9 July 2031"),
    ("note",
     "Vesper Station, Southlight Polar Trust. Report 2031/07, dated 24 July 2031. Prepared by Ruth "
     "Calloway, station leader, with Callum Rooke, safety officer. Annexes A to D, eight pages, are kept"
     " apart."),
    ("h2", "1. Summary"),
    ("p",
     "In the night of 8 to 9 July 2031 Vesper Station lost main power in the middle of the polar night, "
     "while the air outside stood at −63.1 °C. According to the central log, generator G1 failed at "
     "02:14 on 9 July. The station was without main power for 47 minutes, from 02:14 until 03:01, when "
     "the emergency generator G3 took over. The cause of the failure was a frozen fuel line. One person "
     "was injured in the dark and one was frostbitten. Nobody died, and at no time was anybody’s "
     "whereabouts unknown."),
    ("p",
     "This report sets down what happened, why, and what has to change. It does not look for someone to "
     "blame. A station that punishes mistakes soon stops hearing about them."),
    ("h2", "2. What happened"),
    ("p",
     "G2 was not available that night. It had been taken apart on 7 July for its 2,000-hour service, "
     "with the station leader’s written consent, as the handbook requires. G1 therefore ran with nothing"
     " behind it except the batteries and the hut."),
    ("table", [
        ["Time", "Event", "Source"],
        ["02:14", "Main power lost; corridor lights out", "Central log"],
        ["02:19", "Forsgate and Rooke wake the modules door by door", "Statements"],
        ["02:27", "All fourteen counted in the dining room or at work", "Tag board"],
        ["02:31", "Forsgate and Rooke leave for the Annex by the rope", "Tag board"],
        ["02:44", "They reach the Annex; the rope had come loose from its last four posts", "Statements"],
        ["02:58", "G3 fires at the fourth attempt", "G3 log"],
        ["03:01", "G3 takes the load; lights and heating return", "Central log"],
    ], [0.12, 0.66, 0.22]),
    ("p",
     "The walk to the Annex, 120 metres, took thirteen minutes instead of the usual three. G3 would not "
     "start because its oil was as thick as tar; Linnéa Forsgate warmed the sump with the stove’s ash "
     "pan until it turned. The sleeping quarters cooled from 19 °C to 11 °C, and Module F, the most "
     "exposed, to 6 °C."),
    ("h2", "3. Why it happened"),
    ("p",
     "The investigation finds that G1 stopped because a plug of ice closed its fuel line. Diesel always "
     "carries a little water. Where the supply pipe leaves Tunnel A it crosses 40 centimetres of "
     "unheated space, and there a heating tape is meant to keep it warm. That tape had been without "
     "current since 5 July, because breaker 14 was switched off. On the morning of 9 July, at 09:30, "
     "Rooke found a plug of ice 12 centimetres long at that place, and photographed it (Annex B)."),
    ("p",
     "Who switched off breaker 14, and why, could not be established. The breaker carries no label. It "
     "sits beside breaker 15, which feeds the bar refrigerator and is switched off by somebody every "
     "week."),
    ("p",
     "The voltage regulator of G1 was also found to be burnt. The report holds this to be a consequence "
     "and not the cause: an engine starved of fuel runs unevenly before it stops, and the regulator "
     "suffers for it."),
    ("h2", "4. Dissent"),
    ("p",
     "The chief engineer, Tomasz Brzeski, read this report on 24 July and does not accept its finding on"
     " the time or on the cause. His reservation is Annex D. The station leader has weighed it with "
     "respect and stands by the report, because the central log is the only clock on the station that "
     "writes down what it sees."),
    ("h2", "5. Consequences"),
    ("list", [
        "Petra Sólheim fell on the stairs to Tunnel B and broke her left wrist.",
        "Callum Rooke lost the tip of his left little finger to frostbite.",
        "Of 636 frozen air samples in the chemistry laboratory, 212 thawed and are lost to science.",
        "All 60 lettuces in the greenhouse died.",
        "The ice cores were never in danger, since their store in Tunnel B is cold by nature.",
        ("Main power came back on G1 on 11 July at 16:40, after the line had been thawed, drained and "
         "refilled."),
    ]),
    ("h2", "6. Recommendations"),
    ("table", [
        ["No.", "Measure", "Responsible", "By"],
        ["1", "Two people on night watch instead of one", "Calloway", "1 August"],
        ["2", "Breaker 14 labelled, locked, and joined to an alarm", "Forsgate", "3 August"],
        ["3", "Oil heater for G3, fed from the Annex batteries", "Forsgate", "15 August"],
        ["4", "Rope to the Annex doubled and its posts set a metre deeper", "Rooke", "10 August"],
        ["5", "No service of one main generator while the outside air is below −55 °C", "Brzeski", "At once"],
        ["6", "Second voltage regulator board to be flown in", "The Trust", "First flight"],
    ], [0.08, 0.56, 0.19, 0.17]),
    ("h2", "7. A word of thanks"),
    ("p",
     "Linnéa Forsgate and Callum Rooke walked into the dark at 63 below zero, found a rope that was not "
     "where it should have been, and went on. Benoît Carrade had soup on a camping stove within a "
     "quarter of an hour. Dr Amara Quist set a broken wrist by the light of two head torches. Everybody "
     "else did what the handbook says and stayed where they were told, which is harder than it sounds."),
    ("p", "Signed: Ruth Calloway, station leader, Vesper Station, 24 July 2031."),
]

PAPER = [
    ("h1", "An ash layer with unidentified pollen at 412.6 m in the Vesper VS-31 ice core"),
    ("note",
     "Ilse Vantongeren, Mateo Furlan and Oskar Venn<br/>Vesper Station, Maren Plateau. Vesper Winter "
     "Papers, No. 9, October 2031"),
    ("h2", "Abstract"),
    ("p",
     "We report a visible layer of volcanic ash, 38 mm thick, at a depth of 412.6 m in the VS-31 ice "
     "core from the Maren Plateau. Annual layers counted down from the surface date it to 9,420 ± 130 "
     "years before 2000. The layer, which we call the Lamplight Layer, holds 1,140 counted shards of "
     "glass and eleven grains of pollen of a plant that we could not identify. Sulphate rises to 614 "
     "µg/kg against a background of 48 µg/kg, in two peaks. The authors agree on the measurements and "
     "differ on what they mean: one eruption or two. No known volcano matches the glass."),
    ("h2", "1. Introduction"),
    ("p",
     "Snow that falls on the Maren Plateau is buried and turns to ice, and whatever fell with it is "
     "buried too. Layers of ash are rare so far inland, because the plateau lies a long way from any "
     "volcano on the map. Only three faint ones had been seen in earlier cores from Vesper (Vantongeren,"
     " 2028), none of them thick enough to be visible without a microscope."),
    ("p",
     "The aim of the VS-31 project was a modest one: an unbroken record of snowfall for the last ten "
     "thousand years. The layer described here was not expected, and it was found by eye."),
    ("h2", "2. Drilling and methods"),
    ("p",
     "The core was drilled between 3 March and 20 September 2031 with an electromechanical drill, in 230"
     " runs, to a final depth of 506.2 m. The core is 98 mm wide. On 30 May, in run 187, one of us (O. "
     "V.) saw a dark band in the barrel. Held in front of a head torch the band glowed brown, and the "
     "name of the layer comes from that."),
    ("p",
     "Every piece of core was photographed on a light table and cut lengthwise. One half was melted from"
     " the inside outwards, so that the outer surface, which the drill has touched, never reached the "
     "sample. Sulphate was measured every 2 mm by ion chromatography. Shards were counted in twelve thin"
     " sections and analysed with the station’s benchtop electron microscope. Pollen was counted on "
     "filters by two people who did not know which filter came from which depth."),
    ("p",
     "Annual layers were counted twice and separately. M. Furlan counted 9,388 years down to the ash and"
     " I. Vantongeren counted 9,455; we use the mean, rounded, and an error that covers both."),
    ("h2", "2.1 Guarding against ourselves"),
    ("p",
     "A station is a dirty place to look for traces. Fourteen people, a kitchen, a greenhouse and a "
     "diesel engine stand within 300 m of the drill. We therefore compared the ash and the pollen with "
     "everything at hand: soot from the exhaust, grit from boots, flour, tea, and pollen from the chilli"
     " and tomato plants in the greenhouse. The glass is not soot, and the pollen belongs to none of our"
     " vegetables."),
    ("p",
     "The drill fluid was filtered before and after run 187. Nothing was found in it except fluid and "
     "one hair, which was claimed by its owner."),
    ("h2", "3. Results"),
    ("p",
     "Table 1 gives the main figures. The ash lies between 412.581 m and 412.619 m. Its lower edge is "
     "sharp, its upper edge blurred over about 6 mm. At this depth a year of snow has been pressed to 31"
     " mm of ice, so that the layer holds a little more than one year."),
    ("table", [
        ["Quantity", "Layer", "Background"],
        ["Thickness (mm)", "38", "–"],
        ["Sulphate, highest (µg/kg)", "614", "48"],
        ["Glass shards counted", "1,140", "0"],
        ["Largest shard (µm)", "85", "–"],
        ["Median shard (µm)", "34", "–"],
        ["Pollen grains", "11", "0"],
        ["Silica in glass (%)", "67.2 ± 0.6", "–"],
    ], [0.45, 0.26, 0.29], "Table 1. The Lamplight Layer, and the ice one metre above and below it."),
    ("p",
     "Sulphate has two peaks, 26 mm apart (Figure 1). The lower one is the higher. Glass from the two "
     "peaks has the same composition within the error of our instrument."),
    ("figure", "Figure 1. Sulphate across the Lamplight Layer. Depth grows to the right."),
    ("p",
     "The eleven grains of pollen are round, have three pores and measure between 22 and 26 µm. Nine "
     "came from the lower half of the layer. Six blank samples, made of clean ice and treated in the "
     "same way, held no pollen at all. We sent photographs to three herbaria. Two of them found no "
     "match; the third has not answered."),
    ("h2", "4. Discussion"),
    ("h2", "4.1 Where did the ash come from?"),
    ("p",
     "The glass matches none of the 214 volcanoes in the catalogue that we carry at the station. Shards "
     "of 85 µm do not travel far. According to Vantongeren, their size means that the vent lay within "
     "400 km of the drill site, under ice that nobody has surveyed. Furlan holds that a strong enough "
     "eruption could have carried them three times as far, and that a volcano should not be proposed "
     "before someone has seen one."),
    ("h2", "4.2 One eruption or two?"),
    ("p",
     "At 31 mm of ice a year, a distance of 26 mm is about ten months. Furlan therefore reads the two "
     "peaks as two eruptions of the same volcano, ten months apart. Vantongeren reads them as a single "
     "eruption: wind cuts the snow surface into ridges, moves old snow on top of new, and can lay the "
     "same ash down twice. Oskar Venn, who has drilled on the plateau for nine seasons, has seen "
     "footprints buried, bared and buried again within one winter. A second core, 500 m away, would "
     "settle the question, since the wind does not make the same mistake twice."),
    ("h2", "4.3 The pollen"),
    ("p",
     "Pollen can be carried across oceans, but then it arrives thinly and in every year. Eleven grains "
     "in one layer, and none in a metre of ice on either side, ask for another explanation. The one we "
     "like best is that the grains lay in old soil, which the eruption tore up and threw into the air "
     "with the ash. In that case they may be far older than the layer. We do not claim that plants grew "
     "near the vent 9,420 years ago. We have looked for a simple mistake and have not found it."),
    ("h2", "4.4 Limits of this paper"),
    ("p",
     "All measurements were made at the station, in the dark half of the year, with instruments that can"
     " be carried up a ladder. The age rests on counting and on nothing else: below 380 m the yearly "
     "layers are thin, and in about one year in thirty the two counts disagreed. The composition of the "
     "glass was measured on 40 shards only. The other half of the core, uncut, lies in the store in "
     "Tunnel B, and anyone who doubts us is invited to come and look at it, warmly dressed."),
    ("h2", "5. Conclusions"),
    ("list", [
        "A visible ash layer lies at 412.6 m in VS-31, dated to 9,420 ± 130 years before 2000.",
        "Its source is unknown, and may be a volcano under the ice.",
        "Two peaks of sulphate allow for one eruption or for two; the authors are divided.",
        "Eleven grains of unidentified pollen came with the ash.",
        "A second core, VS-32, is proposed for the summer of 2033.",
    ]),
    ("h2", "Acknowledgements"),
    ("p",
     "We thank Petra Sólheim, who rebuilt the drill’s winch with one working hand; Linnéa Forsgate for "
     "current; Kwame Ansbury for wind; and Benoît Carrade, who brought soup to the drill trench on 71 "
     "days. The cores were not touched by the loss of power in July."),
    ("h2", "References"),
    ("p", "Furlan, M. (2029). Counting years in pressed snow. Vesper Winter Papers, No. 7."),
    ("p",
     "Vantongeren, I. (2028). Three faint ash layers from the Maren Plateau. Vesper Winter Papers, No. 6."),
    ("p", "Venn, O. (2030). A drill for one pair of hands. Southlight Technical Notes, No. 22."),
]

MINUTES = [
    ("h1", "Minutes of the station meeting, 27 July 2031"),
    ("p",
     "Vesper Station, dining room, Sunday, 27 July 2031, from 16:20 to 18:05. In the chair: Ruth "
     "Calloway. Minutes: Kwame Ansbury. Present: thirteen. Excused: Yuki Tannahill, who was with her "
     "telescope, the sky being clear."),
    ("h2", "1. Minutes of the last meeting"),
    ("p",
     "The minutes of 29 June were accepted. Petra Sólheim asked for it to be recorded that the timer in "
     "the shower is correct."),
    ("h2", "2. The report on the night of 9 July"),
    ("p",
     "Ruth Calloway presented the incident report and took questions for forty minutes. She said that it"
     " would have been easier to write if everybody had agreed, and worse."),
    ("p",
     "Tomasz Brzeski said that he had read the report with care, that it was fair to people and unfair "
     "to a pipe. He asked for it to be minuted that he shares neither its finding on the time nor its "
     "finding on the cause. So minuted. He said that he supports all six recommendations none the less, "
     "since they would be right whoever was right."),
    ("p",
     "Linnéa Forsgate asked that breaker 14 be labelled at once and not on 3 August. She went out and "
     "labelled it, and came back."),
    ("p",
     "Callum Rooke moved that two people, not one, keep watch each night from 1 August. Ilse Vantongeren"
     " spoke against: with fourteen people, she said, a double watch costs every person one night in "
     "seven, and tired people make the next accident. Oskar Venn agreed with her."),
    ("p", "Decision: the double night watch was adopted by eleven votes to two, and begins on 1 August."),
    ("h2", "3. Coffee"),
    ("p",
     "Benoît Carrade reported 20 kilograms of coffee in store, and crate 117 still missing. At the "
     "present rate the coffee will be gone on 15 September, seven weeks before the first flight."),
    ("p",
     "Mateo Furlan proposed two cups a person a day. Noor Haddad-Lyle proposed three cups, and weaker. "
     "The discussion was long and is not minuted, at the request of those who took part in it."),
    ("p", "Decision: coffee is rationed to two cups a person a day from 2 August, by seven votes to six."),
    ("p",
     "Kwame Ansbury asked for it to be minuted that he drinks tea, and that people who drink tea should "
     "not have had a vote."),
    ("h2", "4. The voice on the night channel"),
    ("p",
     "Noor Haddad-Lyle read out her entry of 14 July. She has listened every night for a week since, and"
     " heard nothing. Several explanations were offered. Sofia Brandão-Keel remarked that the voice had "
     "stopped at exactly the number of people on the station. After a silence it was agreed to go on to "
     "the next item."),
    ("h2", "5. The hum in Tunnel B"),
    ("p",
     "Oskar Venn heard a low hum last night. Kwame Ansbury will set up a microphone. Anyone who hears it"
     " should write down the time and should not tap on the pipes."),
    ("h2", "6. The Admiral"),
    ("p",
     "Ruth Calloway said that she does not wish to know who has the Admiral, that she wishes to know "
     "that he is dry, and that she would leave the room for one minute. When she came back, a paper on "
     "her chair said: “He is dry.”"),
    ("h2", "7. Any other business"),
    ("list", [
        "Film night moves from Thursday to Friday.",
        "The film chosen for 1 August is the one about the submarine, again, by show of hands.",
        "The person who switches off the bar refrigerator is asked to stop.",
        ("Amara Quist reminded everyone that tea is compulsory and that sleeping at the table counts as "
         "attendance."),
    ]),
    ("h2", "Actions"),
    ("table", [
        ["Action", "Who", "By"],
        ["New list for the double night watch", "Ruth Calloway", "31 July"],
        ["Lock and alarm on breaker 14", "Linnéa Forsgate", "3 August"],
        ["Rope to the Annex doubled", "Callum Rooke", "10 August"],
        ["Oil heater for G3", "Linnéa Forsgate", "15 August"],
        ["Coffee scales, so that a cup is a cup", "Benoît Carrade", "2 August"],
        ["Microphone in Tunnel B", "Kwame Ansbury", "30 July"],
    ], [0.5, 0.3, 0.2]),
    ("p", "Next meeting: Sunday, 31 August 2031, with the sun back, weather permitting."),
]

POLICY = [
    ("h1", "Medical and Safety Policy"),
    ("p",
     "Vesper Station, Southlight Polar Trust. Version 7, approved on 15 January 2031. To be reviewed by "
     "15 January 2033. This policy binds everyone at the station, visitors and station leaders included."),
    ("h2", "1. Who decides"),
    ("p",
     "The station leader decides on safety and the physician decides on health. Where the two meet, the "
     "stricter of them wins. The physician may order any measure of daily routine that keeps the crew "
     "well, including when they sleep, eat and meet."),
    ("p",
     "Anybody, whatever their post, may stop a job that they believe to be unsafe. Nobody has to give a "
     "reason first."),
    ("h2", "2. Going outside"),
    ("p",
     "Everyone who leaves the station turns their tag on the board in Module D, takes a radio, and says "
     "where they are going. The limits below are limits and not targets."),
    ("table", [
        ["Outside air", "Longest time outdoors", "Smallest party", "Radio call"],
        ["Warmer than −40 °C", "4 hours", "1", "Every hour"],
        ["−40 to −50 °C", "2 hours", "2", "Every 30 minutes"],
        ["−50 to −60 °C", "45 minutes", "2", "Every 15 minutes"],
        ["Colder than −60 °C", "20 minutes", "2, and one watching", "Every 5 minutes"],
    ], [0.28, 0.28, 0.22, 0.22]),
    ("p",
     "In a white-out nobody goes out at all, except to save a life, and then only on a rope. A missed "
     "radio call starts a search after ten minutes, and the one who forgot to call washes up for a week."),
    ("h2", "3. Fire"),
    ("p",
     "Fire is the greatest danger at Vesper. Open flames are forbidden indoors, with two exceptions: the"
     " kitchen, and an emergency without power, when the cook may light a camping stove in the dining "
     "room with an extinguisher beside it."),
    ("list", [
        "Fire drill: twice a month, once by day and once by night, without warning.",
        "Fire team: four people, changed every month.",
        "Target: every person counted within eight minutes of the alarm.",
        "If a module cannot be saved, close its doors and let it go.",
    ]),
    ("h2", "4. Medical care"),
    ("h3", "4.1 Before the winter"),
    ("p",
     "Each winterer passes a full examination in Port Ansel, including teeth. Nobody is asked to part "
     "with a healthy appendix any more; the rule was dropped in 2026, after a vote of the physicians."),
    ("h3", "4.2 The operating theatre"),
    ("p",
     "The theatre is in Module D. The physician is helped by four crew members who were trained for it. "
     "In 2031 they are Benoît Carrade (anaesthesia), Callum Rooke, Yuki Tannahill and Linnéa Forsgate. "
     "If a helper is the patient, Sofia Brandão-Keel stands in."),
    ("p",
     "If the physician is the patient, a surgeon in Port Ansel talks the helpers through it by radio. "
     "This has happened once, in 2024, and the physician of that winter sends a card every year."),
    ("h3", "4.3 Frostbite"),
    ("p",
     "Tell the physician about any numb or white skin within ten minutes of coming in. Do not rub it, "
     "and do not hide it."),
    ("h3", "4.4 Secrecy"),
    ("p",
     "What is said to the physician stays with the physician. The station leader is told only whether a "
     "person is fit for work, and never why not."),
    ("h2", "5. Well-being"),
    ("p",
     "Long darkness changes people, and it is no failing to say so. Each person sees the physician for "
     "half an hour a month, ill or not. The bright lamps in Module F are on from 07:00 to 10:00. A crew "
     "member who has not been seen by anyone for 24 hours will be visited."),
    ("h2", "6. Accidents"),
    ("p",
     "Every accident is reported within 24 hours, and every near miss too. The report of a serious "
     "incident goes to the Trust within 21 days. It names causes and not culprits. Anybody who disagrees"
     " with a report may add a reservation, which is sent along with it unchanged."),
    ("h2", "7. Evacuation"),
    ("p",
     "Between the last flight and the first there is no evacuation. Aircraft cannot land at Vesper below"
     " −55 °C, since their fuel would turn to jelly. The longest wait for a patient so far was 97 days, "
     "in the winter of 2027, and the patient walked to the aircraft."),
]
# fmt: on


# ---------------------------------------------------------------- PDF


def _styles(body, size, leading, justify=False):
    from reportlab.lib.enums import TA_JUSTIFY, TA_LEFT
    from reportlab.lib.styles import ParagraphStyle as Style
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for name in ("Serif", "Sans"):
        for face in ("Regular", "Bold", "Italic"):
            pdfmetrics.registerFont(TTFont(f"{name}-{face}", FONTS / f"Liberation{name}-{face}.ttf"))
    hyphens = {"hyphenationLang": "en_GB", "embeddedHyphenation": 1, "hyphenationMinWordLength": 7} if justify else {}
    text = Style(
        "p",
        fontName=f"{body}-Regular",
        fontSize=size,
        leading=leading,
        spaceAfter=leading * 0.55,
        alignment=TA_JUSTIFY if justify else TA_LEFT,
        **hyphens,
    )
    plain = Style("plain", parent=text, hyphenationLang="", alignment=TA_LEFT)
    return {
        "p": text,
        "list": Style("list", parent=plain, spaceAfter=2),
        "cell": Style("cell", parent=plain, fontSize=size - 1, leading=leading - 1.5, spaceAfter=0),
        "head": Style(
            "head",
            parent=plain,
            fontName=f"{body}-Bold",
            fontSize=size - 1,
            leading=leading - 1.5,
            spaceAfter=0,
        ),
        "note": Style("note", parent=plain, fontName=f"{body}-Italic"),
        "h1": Style("h1", fontName="Sans-Bold", fontSize=size + 9, leading=(size + 9) * 1.2, spaceAfter=leading * 0.7),
        "h2": Style(
            "h2",
            fontName="Sans-Bold",
            fontSize=size + 2.5,
            leading=(size + 2.5) * 1.25,
            spaceBefore=leading * 0.6,
            spaceAfter=leading * 0.35,
            keepWithNext=1,
        ),
    }


def _sulphate(width):
    """Figure 1: two peaks over a flat background."""
    from math import exp

    from reportlab.graphics.shapes import Drawing, Line, PolyLine, Rect, String

    height, left, bottom = width * 0.52, 26, 22
    picture = Drawing(width, height)
    wide, high = width - left - 4, height - bottom - 6
    x = lambda mm: left + wide * (mm + 20) / 80  # millimetres below 412.581 m  # noqa: E731
    y = lambda ug: bottom + high * ug / 700  # noqa: E731
    picture.add(Rect(x(0), bottom, x(38) - x(0), high, fillColor="#eee3cc", strokeColor=None))
    points = []
    for step in range(161):
        mm = -20 + step / 2
        points += [x(mm), y(48 + 398 * exp(-(((mm - 6) / 4) ** 2)) + 566 * exp(-(((mm - 32) / 4) ** 2)))]
    picture.add(PolyLine(points, strokeColor="#5a3a10", strokeWidth=1.2))
    picture.add(Line(left, bottom, left + wide, bottom, strokeWidth=0.6))
    picture.add(Line(left, bottom, left, bottom + high, strokeWidth=0.6))
    for ug in (0, 200, 400, 600):
        picture.add(String(left - 4, y(ug) - 2.5, str(ug), fontName="Sans-Regular", fontSize=7, textAnchor="end"))
    for mm in (-20, 20, 60):
        label = f"{412.581 + mm / 1000:.3f} m"
        anchor = {-20: "start", 60: "end"}.get(mm, "middle")
        picture.add(String(x(mm), bottom - 11, label, fontName="Sans-Regular", fontSize=7, textAnchor=anchor))
    return picture


def _flow(content, style, width):
    from reportlab.lib import colors
    from reportlab.platypus import KeepTogether, ListFlowable, ListItem, Paragraph, Spacer, Table

    content, heading = list(content), []
    for n, (kind, what, *more) in enumerate(content):
        if kind == "h2" and content[n + 1][0] == "table":  # a heading stays with its table
            heading = [Paragraph(what, style[kind])]
        elif kind == "list":
            items = [ListItem(Paragraph(item, style["list"]), leftIndent=14) for item in what]
            yield ListFlowable(items, bulletType="bullet", start="•", bulletFontSize=style["p"].fontSize, leftIndent=14)
            yield Spacer(1, style["p"].spaceAfter)
        elif kind == "table":
            rows = [[Paragraph(cell, style["cell" if r else "head"]) for cell in row] for r, row in enumerate(what)]
            table = Table(rows, colWidths=[width * share for share in more[0]], repeatRows=1)
            table.setStyle(
                [
                    ("LINEABOVE", (0, 0), (-1, 0), 0.8, colors.black),
                    ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
                    ("LINEBELOW", (0, -1), (-1, -1), 0.8, colors.black),
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("TOPPADDING", (0, 0), (-1, -1), 2),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ]
            )
            title = [Paragraph(more[1], style["note"])] if len(more) > 1 else []
            yield KeepTogether([*heading, *title, table, Spacer(1, style["p"].leading)])
            heading = []
        elif kind == "figure":
            yield KeepTogether([_sulphate(width), Paragraph(what, style["note"])])
        else:
            yield Paragraph(what, style[kind])


def _pdf(path, content, *, header, columns, title, author, body, size, leading):
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.pdfbase import pdfdoc
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import BaseDocTemplate, Frame, NextPageTemplate, PageTemplate, Paragraph

    style = _styles(body, size, leading, justify=columns == 2)
    width, height = A4
    side, gap, top, foot = 22 * mm, 8 * mm, 26 * mm, 22 * mm
    column = (width - 2 * side - gap * (columns - 1)) / columns
    text = list(content)
    banner = 0
    if columns == 2:  # the title runs over both columns
        front, text = [Paragraph(what, style[kind]) for kind, what in text[:2]], text[2:]
        banner = sum(part.wrap(width - 2 * side, height)[1] + part.style.spaceAfter for part in front)

    class Numbered(Canvas):
        """Knows the number of pages before it writes the first footer."""

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.kept = []

        def showPage(self):  # noqa: N802
            self.kept.append(dict(self.__dict__))
            self._startPage()

        def save(self):
            for number, page in enumerate(self.kept, 1):
                self.__dict__.update(page)
                self.setFont("Sans-Regular", 8)
                self.drawString(side, height - 15 * mm, header)
                self.drawCentredString(width / 2, 12 * mm, f"Page {number} of {len(self.kept)}")
                super().showPage()
            super().save()

    def frames(drop):
        return [
            Frame(side + n * (column + gap), foot, column, height - top - foot - drop, 0, 0, 0, 0)
            for n in range(columns)
        ]

    def first(canvas, _):
        edge = height - top
        for part in front if columns == 2 else []:
            tall = part.wrap(width - 2 * side, height)[1]
            part.drawOn(canvas, side, edge - tall)
            edge -= tall + part.style.spaceAfter

    class Info(pdfdoc.PDFInfo):
        def format(self, document):
            entries = {
                "CreationDate": pdfdoc.PDFDate(ts=None, dateFormatter=lambda *_: "D:20311130120000Z"),
                "Producer": pdfdoc.PDFString("Southlight print shop"),
            }
            if title:
                entries |= {"Title": pdfdoc.PDFString(title), "Author": pdfdoc.PDFString(author)}
            return pdfdoc.PDFDictionary(entries).format(document)

    document = BaseDocTemplate(str(path), pagesize=A4, invariant=1, title=title, author=author, lang="en-GB")
    document.addPageTemplates([PageTemplate("first", frames(banner), onPage=first), PageTemplate("later", frames(0))])

    def canvas(*args, **kwargs):
        made = Numbered(*args, **kwargs)
        made._doc.info.__class__ = Info
        return made

    document.build([NextPageTemplate("later"), *_flow(text, style, column)], canvasmaker=canvas)


# ---------------------------------------------------------------- DOCX


def _docx(path, content, *, title, author, header):
    from docx import Document
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt

    document = Document()
    document.styles["Normal"].font.name, document.styles["Normal"].font.size = "Calibri", Pt(11)
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.header.paragraphs[0].text = header
    footer = section.footer.paragraphs[0].add_run("Page ")
    for kind, what in (("begin", None), (None, "PAGE"), ("end", None)):
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        else:
            part.text = what
        footer._r.append(part)
    for kind, what, *more in content:
        if kind == "table":
            table = document.add_table(len(what), len(what[0]), style="Light Grid Accent 1")
            for r, row in enumerate(what):
                for c, cell in enumerate(row):
                    table.cell(r, c).text = cell
                    table.cell(r, c).width = Cm(16 * more[0][c])
            document.add_paragraph()
        elif kind == "list":
            for item in what:
                document.add_paragraph(item, style="List Bullet")
        elif kind == "p":
            document.add_paragraph(what)
        else:
            document.add_heading(what, level=int(kind[1]))
    about = document.core_properties
    about.title, about.author, about.last_modified_by, about.language = title, author, author, "en-GB"
    about.created = about.modified = WRITTEN
    about.comments = ""
    document.save(path)
    with zipfile.ZipFile(path) as archive:  # the same bytes every time: no clock inside
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in parts:
            entry = zipfile.ZipInfo(name, WRITTEN.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "examples"
    folder.mkdir(parents=True, exist_ok=True)
    _pdf(
        folder / "02-incident-report-9-july.pdf",
        REPORT,
        columns=1,
        body="Sans",
        size=11,
        leading=16.5,
        header="Vesper Station · Incident report 2031/07",
        author="Ruth Calloway",
        title="Incident report: loss of main power on 9 July 2031",
    )
    _docx(
        folder / "04-station-meeting-minutes.docx",
        MINUTES,
        header="Vesper Station · Minutes",
        author="Kwame Ansbury",
        title="Minutes of the station meeting, 27 July 2031",
    )
    _pdf(
        folder / "05-ice-core-paper.pdf",
        PAPER,
        columns=2,
        body="Serif",
        size=10.5,
        leading=14.2,
        header="Vesper Winter Papers, No. 9 (2031)",
        author=None,
        title=None,
    )
    _docx(
        folder / "08-medical-and-safety-policy.docx",
        POLICY,
        header="Southlight Polar Trust · Medical and Safety Policy · Version 7",
        author="Southlight Polar Trust",
        title="Medical and Safety Policy, Vesper Station",
    )


if __name__ == "__main__":
    main()

"""Words that carry no content in any question, by language (ISO 639-1).

Unlike a list for browsing: articles, auxiliaries, pronouns, prepositions and the question words
themselves. Longer lists (NLTK's, stop-words') lose words that are asked for: docs/evaluation.md.
"""

_WORDS = {
    "en": """
        a an the and or but if of at by for with about to from in on into is are was were be been being am do does did
        has have had having it its this that these those he she they them his her their there what which who whom
        whose when where why how as than then so such can could will would should may might shall not no i you we me
        my your our us
        """,
    "ar": """
        في من على إلى الى عن مع أن ان إن هو هي هم هذا هذه ذلك تلك التي الذي الذين ما ماذا متى أين كيف لماذا كم هل أي أو
        ثم كان كانت قد لا لم لن بين عند كل حتى إذا اذا لكن يكون تكون منذ بعد قبل كما
        """,
    "da": """
        og i at det en et den de der er var har havde som på til af for med om fra ved ikke han hun de sig sin sit
        hans hendes deres vi jeg du man men eller så end hvad hvem hvor hvornår hvordan hvorfor hvilken hvilket hvilke
        hvis blev bliver blive være været kan kunne vil ville skal skulle må dette denne disse efter under over
        """,
    "de": """
        der die das den dem des ein eine einen einem einer eines und oder aber in im an am auf aus bei mit nach von vom
        vor zu zum zur für über unter um durch als wie wer was wem wen wessen wann wo woher wohin warum welche welcher
        welches welchen welchem wieso weshalb ist sind war waren wird werden wurde wurden hat haben hatte hatten sein
        seine seiner seinen ihr ihre ihrer er sie es sich nicht auch dass so man ich wir mein meine mir mich uns unser
        unsere kann können soll muss dieser diese dieses diesem diesen wenn
        """,
    "es": """
        el la los las lo un una unos unas de del a al en con por para sin sobre entre desde hasta y e o u ni que se su
        sus es son era eran fue fueron ser ha han había como cómo cuál cuáles qué quién quiénes cuándo dónde cuánto
        cuánta cuántos cuántas cual cuales quien quienes cuando donde este esta estos estas ese esa eso esto le les me
        te nos no más pero si mi está están hay
        """,
    "fi": """
        ja on ei oli ovat olivat olla ollut se ne hän he tämä nämä tuo nuo joka jotka mikä mitä mitkä kuka ketkä missä
        mistä mihin milloin miksi miten kuinka kun jos että tai mutta sekä myös niin kuin sen niiden hänen heidän ole
        minä sinä me te voi ovatko onko
        """,
    "fr": """
        le la les l un une des de du d et ou où mais que qui quoi quel quelle quels quelles quand comment pourquoi
        combien dont dans en sur sous par pour avec sans entre vers chez à au aux ce cet cette ces se s son sa ses leur
        leurs il elle ils elles on nous vous je tu me te est sont était étaient être été a ont avait avaient ne pas
        plus y mon ma mes notre nos votre vos si comme qu n c j
        """,
    "hi": """
        का की के को में से पर ने है हैं था थी थे और या कि यह वह ये वे इस उस इन उन क्या कौन कब कहाँ कहां क्यों कैसे कितने
        कितना कितनी किस किसने किसका किसे जो तो ही भी एक लिए साथ तक हो होता होती कर गया गई गए रहा रही रहे नहीं
        """,
    "it": """
        il lo la i gli le l un uno una di del dello della dei degli delle a al allo alla ai agli alle da dal dalla dai
        in nel nella nei nelle con su sul sulla per tra fra e ed o ma che chi cui cosa quale quali quando dove come
        perché quanto quanta quanti quante è sono era erano essere stato stata ha hanno aveva avevano si se suo sua
        suoi sue loro questo questa questi queste quello quella non più ne ci mi ti
        """,
    "nl": """
        de het een en of maar in op aan van voor met naar uit bij door over onder tot te om als dan dat die dit deze
        er is zijn was waren wordt worden werd werden heeft hebben had hadden wie wat waar wanneer waarom hoe welke
        welk hoeveel hij zij ze hun haar zich niet ook we ik je mijn ons onze kan kunnen moet
        """,
    "no": """
        og i at det en et ei den de der er var har hadde som på til av for med om fra ved ikke han hun seg sin sitt
        hans hennes deres vi jeg du man men eller så enn hva hvem hvor når hvordan hvorfor hvilken hvilket hvilke
        hvis ble blir bli være vært kan kunne vil ville skal skulle må dette denne disse etter under over
        """,
    "pl": """
        i w we z ze na do od o po za przez dla przy nad pod że to jest są był była było były być się nie jak co kto
        gdzie kiedy dlaczego ile który która które którzy którego której jaki jaka jakie czy a ale lub albo ten ta te
        tego tej tym jego jej ich on ona oni go mu oraz
        """,
    "pt": """
        o a os as um uma uns umas de do da dos das em no na nos nas por pelo pela pelos pelas para com sem sobre entre
        até e ou mas que quem qual quais quando onde como porque quanto quanta quantos quantas é são era eram foi foram
        ser está estão há tem ter tinha se seu sua seus suas ele ela eles elas este esta isto esse essa isso ao à aos
        às não mais me nos meu minha
        """,
    "ru": """
        и в во на с со к ко о об от до из за по для при у не ни что как кто кого кому чем где когда почему зачем
        сколько какой какая какое какие каком чей который которая которое которые это этот эта эти был была было были
        быть есть он она оно они его её ее их им а но или ли же бы то так мы я вы
        """,
    "sv": """
        och i att det en ett den de som på är var av för med till om från vid inte han hon sig sin sitt sina hans
        hennes deras vi jag du man men eller så än vad vem var när hur varför vilken vilket vilka har hade blev blir
        bli vara varit kan kunde vill ska skulle måste detta denna dessa efter under över
        """,
    "tr": """
        ve ile bir bu şu o da de mi mı mu mü ne kim kimin nerede nereye nereden neden niçin nasıl hangi kaç için gibi
        daha en çok olan olarak oldu olduğu değil ama veya ya ki ise var yok tarafından
        """,
}

STOPWORDS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
